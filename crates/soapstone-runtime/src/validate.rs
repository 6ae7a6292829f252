//! Validation by libxml2: every schema of a contract compiled once per thread, documents served from memory.
//!
//! It calls libxml2 directly, with `unsafe`, where the `libxml` crate has no way to give schemas from memory, or to tell
//! the path of what is wrong.

use crate::problem::{ReadError, ReadErrorKind};
use crate::xml::Tree;
use libxml::bindings as c;
use libxml::schemas::{SchemaParserContext, SchemaValidationContext};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once, OnceLock, RwLock};
use std::time::Duration;

/// The scheme of documents in memory.
const SCHEME: &str = "soapstone-memory:/";

/// How long libxml2 may take with the schemas of one contract.
const COMPILE_TIME: Duration = Duration::from_secs(20);

/// How many problems of one message are told.
const MAX_PROBLEMS: usize = 20;

/// All schemas of one contract.
#[derive(Clone, Debug)]
pub struct Validator {
    id: usize,
    /// The document to start from, which imports the others.
    entry: Arc<str>,
}

/// Documents that libxml2 may load, by address.
type Documents = RwLock<HashMap<String, &'static CStr>>;

fn documents() -> &'static Documents {
    static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
    DOCUMENTS.get_or_init(Documents::default)
}

thread_local! {
    static CONTEXTS: RefCell<HashMap<usize, SchemaValidationContext>> = RefCell::new(HashMap::new());
}

impl Validator {
    /// Compiles the schemas of a service.
    ///
    /// # Errors
    /// What libxml2 finds wrong with them.
    pub fn of(info: &crate::service::ServiceInfo) -> Result<Self, String> {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        Self::new(&owned(info.schemas), &owned(info.schema_roots))
    }

    /// Compiles the schemas. Each has the name by which the others' `schemaLocation` finds it; `roots` are those
    /// that cover all namespaces, each with its target namespace.
    ///
    /// # Errors
    /// What libxml2 finds wrong with them.
    pub fn new(schemas: &[(String, String)], roots: &[(String, String)]) -> Result<Self, String> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        static LOADER: Once = Once::new();
        LOADER.call_once(|| {
            libxml::init_parser();
            // SAFETY: the loader is a plain function that lives as long as the program; it is set once, before any
            // document is read.
            unsafe { c::xmlSetExternalEntityLoader(Some(load_from_memory)) };
        });
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("{SCHEME}{id}/");
        let mut driver = String::from("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">");
        for (namespace, name) in roots {
            // The driver has no namespace itself.
            if namespace.is_empty() {
                driver.push_str("<xs:include");
            } else {
                driver.push_str("<xs:import namespace=\"");
                crate::xml::escape_attribute(namespace, &mut driver);
                driver.push('"');
            }
            driver.push_str(" schemaLocation=\"");
            crate::xml::escape_attribute(name, &mut driver);
            driver.push_str("\"/>");
        }
        driver.push_str("</xs:schema>");
        let entry = format!("{folder}soapstone-driver.xsd");
        {
            let mut known = documents().write().map_err(|_| "the schema store is poisoned")?;
            known.insert(entry.clone(), leaked(driver)?);
            for (name, text) in schemas {
                known.insert(format!("{folder}{name}"), leaked(text.clone())?);
            }
        }
        let validator = Self { id, entry: entry.into() };
        validator.try_out()?;
        Ok(validator)
    }

    /// Compiles the schemas on a thread of their own: with some, libxml2 comes to no end.
    fn try_out(&self) -> Result<(), String> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let trial = self.clone();
        let work = move || {
            // Nobody listens any more when it took too long.
            let _ = sender.send(trial.with_context(|_| ()));
        };
        std::thread::Builder::new().name("schemas".to_owned()).spawn(work).map_err(|e| e.to_string())?;
        match receiver.recv_timeout(COMPILE_TIME) {
            Ok(result) => result,
            Err(_) => Err(format!("libxml2 comes to no end with these schemas (within {} s)", COMPILE_TIME.as_secs())),
        }
    }

    fn with_context<T>(&self, work: impl FnOnce(&mut SchemaValidationContext) -> T) -> Result<T, String> {
        CONTEXTS.with_borrow_mut(|contexts| {
            let context = match contexts.entry(self.id) {
                std::collections::hash_map::Entry::Occupied(occupied) => occupied.into_mut(),
                std::collections::hash_map::Entry::Vacant(vacant) => {
                    // SAFETY: a plain function, for this thread.
                    unsafe { c::xmlSetStructuredErrorFunc(std::ptr::null_mut(), Some(ignore)) };
                    let mut parser = SchemaParserContext::from_file(&self.entry);
                    let context = SchemaValidationContext::from_parser(&mut parser).map_err(|errors| {
                        let text = |e: libxml::error::StructuredError| {
                            let place = e.filename.unwrap_or_default();
                            let place = place.strip_prefix(SCHEME).unwrap_or(&place).to_owned();
                            format!("{place}:{}: {}", e.line.unwrap_or(0), e.message.unwrap_or_default().trim())
                        };
                        errors.into_iter().map(text).collect::<Vec<_>>().join("\n")
                    })?;
                    vacant.insert(context)
                }
            };
            Ok(work(context))
        })
    }

    /// Validates the element at `depth` elements below the root: 0 for the root itself, 2 for the child of a SOAP
    /// body (always the first element child of the last one at each level above).
    ///
    /// # Errors
    /// Everything that is wrong, in document order, up to a limit.
    pub fn validate(&self, text: &str, depth: u32) -> Result<(), Vec<ReadError>> {
        let internal = |message: String| vec![*ReadError::new(ReadErrorKind::Malformed, message)];
        let document = Tree::parse(text).map_err(|error| vec![*error])?;
        let Some(element) = document.last_at(depth) else {
            return Err(internal("the message has no content".to_owned()));
        };
        let found = self.with_context(|context| {
            let mut collected = Collected::default();
            // SAFETY: the context is this thread's own and alive; `found` outlives the call, and the handler is
            // taken off again before it is dropped. The element belongs to `document`, which is alive.
            let status = unsafe {
                c::xmlSchemaSetValidStructuredErrors(
                    context.as_ptr(),
                    Some(collect),
                    (&raw mut collected).cast::<c_void>(),
                );
                let status = c::xmlSchemaValidateOneElement(context.as_ptr(), element.pointer());
                c::xmlSchemaSetValidStructuredErrors(context.as_ptr(), None, std::ptr::null_mut());
                status
            };
            let mut found = collected.found;
            if status != 0 && found.is_empty() && !collected.passed_over {
                found.extend(internal("the message is not valid".to_owned()));
            }
            found
        });
        match found {
            Ok(found) if found.is_empty() => Ok(()),
            Ok(found) => Err(found),
            Err(why) => Err(internal(why)),
        }
    }
}

/// Schemas live as long as the program: there is a handful of them.
fn leaked(text: String) -> Result<&'static CStr, String> {
    let text = CString::new(text).map_err(|_| "a schema has a NUL character".to_owned())?;
    Ok(Box::leak(text.into_boxed_c_str()))
}

/// What libxml2 would print is told through the errors that it reports.
unsafe extern "C" fn ignore(_context: *mut c_void, _error: c::xmlErrorPtr) {}

/// Gives libxml2 the documents in memory, and nothing else: no file, no network.
unsafe extern "C" fn load_from_memory(
    url: *const c_char,
    _id: *const c_char,
    context: c::xmlParserCtxtPtr,
) -> c::xmlParserInputPtr {
    if url.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: libxml2 passes a NUL-terminated string.
    let url = unsafe { CStr::from_ptr(url) }.to_string_lossy();
    let found = documents().read().ok().and_then(|known| known.get(url.as_ref()).copied());
    match found {
        // SAFETY: the text is static; the context is the caller's.
        Some(text) => unsafe {
            let input = c::xmlNewStringInputStream(context, text.as_ptr().cast());
            if !input.is_null()
                && let Ok(name) = CString::new(url.as_ref())
            {
                (*input).filename = c::xmlStrdup(name.as_ptr().cast()).cast();
            }
            input
        },
        None => std::ptr::null_mut(),
    }
}

/// What libxml2 reports.
#[derive(Default)]
struct Collected {
    found: Vec<ReadError>,
    /// Whether something was reported that is none.
    passed_over: bool,
}

/// Whether libxml2 complains of a number only because it has more digits than libxml2 can count: 24. Our own readers
/// take any number of them.
fn is_only_long(message: &str) -> bool {
    const TYPES: &[&str] =
        &["decimal", "integer", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger"];
    let Some((before, type_name)) = message.split_once("' is not a valid value of the atomic type 'xs:") else {
        return false;
    };
    let is_number = TYPES.contains(&type_name.trim_end_matches(['.', '\'']));
    let value = before.rsplit_once('\'').map_or(before, |(_, value)| value).trim();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    is_number && digits > 24 && value.parse::<crate::Decimal>().is_ok()
}

/// Collects what libxml2 reports.
unsafe extern "C" fn collect(data: *mut c_void, error: c::xmlErrorPtr) {
    if data.is_null() || error.is_null() {
        return;
    }
    // SAFETY: `data` is what `validate` passed; `error` is valid during the call.
    let (collected, error) = unsafe { (&mut *data.cast::<Collected>(), &*error) };
    let found = &mut collected.found;
    if found.len() >= MAX_PROBLEMS {
        return;
    }
    let message = if error.message.is_null() {
        String::from("not valid")
    } else {
        // SAFETY: libxml2's messages are NUL-terminated.
        unsafe { CStr::from_ptr(error.message) }.to_string_lossy().trim().to_owned()
    };
    if is_only_long(&message) {
        collected.passed_over = true;
        return;
    }
    let facet = message.contains("[facet ");
    let missing = message.contains("Missing child");
    let kind = match () {
        () if facet => ReadErrorKind::Facet,
        () if missing => ReadErrorKind::Missing,
        () if message.contains("is not a valid value") => ReadErrorKind::Type,
        () => ReadErrorKind::Unexpected,
    };
    let mut problem = *ReadError::new(kind, plain(&message));
    problem.expected = expected(&message);
    problem.line = u32::try_from(error.line).unwrap_or(0);
    if !error.node.is_null() {
        // SAFETY: the node is alive during the call; the path is ours to free.
        unsafe {
            let node: *const c::xmlNode = error.node.cast();
            problem.line = u32::try_from(c::xmlGetLineNo(node)).unwrap_or(problem.line);
            let path = c::xmlGetNodePath(node);
            if !path.is_null() {
                problem.path = plain_path(&CStr::from_ptr(path.cast()).to_string_lossy());
                if let Some(free) = c::xmlFree {
                    free(path.cast());
                }
            }
        }
    }
    found.push(problem);
}

/// `Element '{urn:x}a': …` without the namespaces that a person does not look for.
fn plain(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find("'{").or_else(|| rest.find(" {")) {
        match rest[start..].find('}') {
            Some(end) => {
                out.push_str(&rest[..=start]);
                rest = &rest[start + end + 1..];
            }
            None => break,
        }
    }
    out.push_str(rest);
    out
}

/// `/soap:Envelope/soap:Body/*/*[2]` as it is; prefixes are left out of named steps.
fn plain_path(path: &str) -> String {
    path.split('/').map(|step| step.rsplit(':').next().unwrap_or(step)).collect::<Vec<_>>().join("/")
}

/// The names in `Expected is one of ( {urn:x}a, {urn:x}b )`.
fn expected(message: &str) -> Vec<String> {
    let Some((_, list)) = message.split_once("Expected is ") else { return Vec::new() };
    let Some((_, list)) = list.split_once('(') else { return Vec::new() };
    let list = list.split(')').next().unwrap_or("");
    list.split(',').map(|name| name.rsplit('}').next().unwrap_or(name).trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validator() -> Validator {
        let main = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:o='urn:other' targetNamespace='urn:x' elementFormDefault='qualified'>
            <xs:import namespace='urn:other' schemaLocation='sub/other.xsd'/>
            <xs:element name='a'><xs:complexType><xs:sequence><xs:element name='b' type='o:small'/></xs:sequence></xs:complexType></xs:element></xs:schema>";
        let other = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:other'>
            <xs:simpleType name='small'><xs:restriction base='xs:int'><xs:maxInclusive value='9'/></xs:restriction></xs:simpleType></xs:schema>";
        let schemas = [("main.xsd".to_owned(), main.to_owned()), ("sub/other.xsd".to_owned(), other.to_owned())];
        Validator::new(&schemas, &[("urn:x".to_owned(), "main.xsd".to_owned())]).unwrap()
    }

    #[test]
    fn schemas_from_memory_find_each_other() {
        let validator = validator();
        assert_eq!(validator.validate("<a xmlns='urn:x'><b>9</b></a>", 0), Ok(()));
        let problems = validator.validate("<a xmlns='urn:x'>\n<b>10</b></a>", 0).unwrap_err();
        assert_eq!(problems[0].line, 2);
        assert_eq!(problems[0].kind, ReadErrorKind::Facet);
        assert!(problems[0].message.contains("'b'"), "{}", problems[0].message);
        let problems = validator.validate("<a xmlns='urn:x'><c/></a>", 0).unwrap_err();
        assert_eq!(problems[0].expected, ["b"]);
    }

    #[test]
    fn numbers_may_have_more_digits_than_libxml2_counts() {
        let schema = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a' type='xs:decimal'/><xs:element name='b' type='xs:positiveInteger'/></xs:schema>";
        let validator =
            Validator::new(&[("s.xsd".to_owned(), schema.to_owned())], &[(String::new(), "s.xsd".to_owned())]).unwrap();
        let long = "123456789012345678901234567890";
        assert_eq!(validator.validate(&format!("<a>{long}.{long}</a>"), 0), Ok(()));
        assert_eq!(validator.validate(&format!("<b>{long}</b>"), 0), Ok(()));
        assert!(validator.validate(&format!("<a>{long}x</a>"), 0).is_err());
        assert!(validator.validate("<a>x</a>", 0).is_err());
    }

    #[test]
    fn each_thread_has_its_own_context() {
        let validator = validator();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let validator = validator.clone();
                std::thread::spawn(move || {
                    (0..50).all(|_| validator.validate("<a xmlns='urn:x'><b>1</b></a>", 0).is_ok())
                })
            })
            .collect();
        assert!(threads.into_iter().all(|t| t.join().unwrap()));
    }

    #[test]
    fn a_wrong_schema_is_told() {
        let schemas = [("m.xsd".to_owned(), "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:x'><xs:element name='a' type='nope'/></xs:schema>".to_owned())];
        assert!(Validator::new(&schemas, &[("urn:x".to_owned(), "m.xsd".to_owned())]).is_err());
    }
}
