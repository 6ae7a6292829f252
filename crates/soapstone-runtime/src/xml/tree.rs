//! Documents as libxml2 keeps them: for validation, and for canonical XML.
//!
//! Beside `validate` this module is the only one with `unsafe`: the `libxml` crate gives no lines beyond 65,535, and its
//! canonical XML breaks characters that stand where one buffer ends.

use crate::problem::{ReadError, ReadErrorKind};
use libxml::bindings as c;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;

/// A libxml2 document, freed when dropped.
pub(crate) struct Tree(c::xmlDocPtr);

impl Tree {
    /// Parses a text, which is decoded: whatever encoding its declaration names, it is UTF-8 now.
    ///
    /// # Errors
    /// If it is not well-formed.
    pub fn parse(text: &str) -> Result<Self, Box<ReadError>> {
        let length = c_int::try_from(text.len())
            .map_err(|_| ReadError::new(ReadErrorKind::Limit, "the message is larger than libxml2 reads"))?;
        let options = c::xmlParserOption_XML_PARSE_NONET
            | c::xmlParserOption_XML_PARSE_NOERROR
            | c::xmlParserOption_XML_PARSE_NOWARNING
            | c::xmlParserOption_XML_PARSE_HUGE
            | c::xmlParserOption_XML_PARSE_BIG_LINES
            | c::xmlParserOption_XML_PARSE_COMPACT;
        let encoding = c"UTF-8";
        // SAFETY: pointer and length are those of `text`; the options load no external entity.
        let document = unsafe {
            c::xmlReadMemory(
                text.as_ptr().cast(),
                length,
                std::ptr::null(),
                encoding.as_ptr(),
                c_int::try_from(options).unwrap_or(0),
            )
        };
        if document.is_null() {
            return Err(ReadError::new(ReadErrorKind::Malformed, "not well-formed XML"));
        }
        Ok(Self(document))
    }

    pub fn root(&self) -> Option<Element<'_>> {
        // SAFETY: the document is alive.
        Element::of(unsafe { c::xmlDocGetRootElement(self.0) })
    }

    /// The element that many levels below the root, by way of the last child at each: the body is the last child of an
    /// envelope, and has one child.
    pub fn last_at(&self, depth: u32) -> Option<Element<'_>> {
        let mut element = self.root()?;
        for _ in 0..depth {
            // SAFETY: the document is alive.
            element = Element::of(unsafe { c::xmlLastElementChild(element.node) })?;
        }
        Some(element)
    }

    /// The document as text, in UTF-8.
    pub fn text(&self) -> String {
        let mut memory: *mut c::xmlChar = std::ptr::null_mut();
        let mut size: c_int = 0;
        // SAFETY: the document is alive; libxml2 allocates the memory, which `owned` frees.
        unsafe {
            c::xmlDocDumpMemoryEnc(self.0, &raw mut memory, &raw mut size, c"UTF-8".as_ptr());
            owned(memory)
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: the document is ours and not used after this.
        unsafe { c::xmlFreeDoc(self.0) };
    }
}

/// An element of a document. Two are equal if they are the same one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'t> {
    node: c::xmlNodePtr,
    document: PhantomData<&'t Tree>,
}

impl<'t> Element<'t> {
    fn of(node: c::xmlNodePtr) -> Option<Self> {
        (!node.is_null()).then_some(Self { node, document: PhantomData })
    }

    /// For libxml2's own functions.
    pub fn pointer(self) -> c::xmlNodePtr {
        self.node
    }

    pub fn local(self) -> &'t str {
        // SAFETY: the node is alive as long as its document; its name is NUL-terminated.
        unsafe { borrowed((*self.node).name) }
    }

    pub fn namespace(self) -> &'t str {
        // SAFETY: the node is alive as long as its document; so is its namespace.
        unsafe {
            let namespace = (*self.node).ns;
            if namespace.is_null() { "" } else { borrowed((*namespace).href) }
        }
    }

    pub fn is(self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace() == namespace
    }

    /// The element around it.
    pub fn parent(self) -> Option<Self> {
        // SAFETY: the node is alive; above the root there is the document, which is no element.
        unsafe {
            let parent = (*self.node).parent;
            let is_element = !parent.is_null() && (*parent).type_ == c::xmlElementType_XML_ELEMENT_NODE;
            if is_element { Self::of(parent) } else { None }
        }
    }

    /// The elements in it.
    pub fn children(self) -> impl Iterator<Item = Self> + use<'t> {
        // SAFETY: the node and those beside it are alive as long as the document.
        let first = Self::of(unsafe { c::xmlFirstElementChild(self.node) });
        std::iter::successors(first, |child| Self::of(unsafe { c::xmlNextElementSibling(child.node) }))
    }

    /// The only child of that name; None: there is none, or there are several.
    pub fn only(self, namespace: &str, local: &str) -> Option<Self> {
        let mut found = self.children().filter(|child| child.is(namespace, local));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// It and everything in it, outermost first.
    pub fn all(self) -> Vec<Self> {
        let mut found = vec![self];
        let mut at = 0;
        while let Some(element) = found.get(at).copied() {
            found.extend(element.children());
            at += 1;
        }
        found
    }

    /// An attribute; `namespace` is empty for one without.
    pub fn attribute(self, namespace: &str, local: &str) -> Option<String> {
        let local = CString::new(local).ok()?;
        let namespace = CString::new(namespace).ok()?;
        // SAFETY: the node is alive, the names are NUL-terminated, and the value is ours to free.
        unsafe {
            let value = if namespace.is_empty() {
                c::xmlGetNoNsProp(self.node, local.as_ptr().cast())
            } else {
                c::xmlGetNsProp(self.node, local.as_ptr().cast(), namespace.as_ptr().cast())
            };
            (!value.is_null()).then(|| owned(value))
        }
    }

    /// All text in it.
    pub fn text(self) -> String {
        // SAFETY: the node is alive; the text is ours to free.
        unsafe { owned(c::xmlNodeGetContent(self.node)) }
    }

    /// Its exclusive canonical form, without comments (Exclusive XML Canonicalization 1.0). The namespaces of those
    /// prefixes count as used wherever they are in scope.
    pub fn canonical(self, inclusive: &[String]) -> Option<Vec<u8>> {
        let prefixes: Vec<CString> =
            inclusive.iter().map(|p| CString::new(p.as_str())).collect::<Result<_, _>>().ok()?;
        let mut list: Vec<*mut c::xmlChar> = prefixes.iter().map(|p| p.as_ptr().cast_mut().cast()).collect();
        list.push(std::ptr::null_mut());
        // SAFETY: the document is alive, the list ends with a null and outlives the call, the callback gets the node
        // that is alive too; buffers are freed on every way.
        unsafe {
            let buffer = c::xmlBufferCreate();
            if buffer.is_null() {
                return None;
            }
            let output = c::xmlOutputBufferCreateBuffer(buffer, std::ptr::null_mut());
            if output.is_null() {
                c::xmlBufferFree(buffer);
                return None;
            }
            let status = c::xmlC14NExecute(
                (*self.node).doc,
                Some(is_within),
                self.node.cast::<c_void>(),
                c_int::try_from(c::xmlC14NMode_XML_C14N_EXCLUSIVE_1_0).unwrap_or(1),
                list.as_mut_ptr(),
                0,
                output,
            );
            let closed = c::xmlOutputBufferClose(output);
            let canonical = (status >= 0 && closed >= 0).then(|| {
                let length = usize::try_from(c::xmlBufferLength(buffer)).unwrap_or(0);
                std::slice::from_raw_parts(c::xmlBufferContent(buffer).cast::<u8>(), length).to_vec()
            });
            c::xmlBufferFree(buffer);
            canonical
        }
    }
}

/// Whether a node belongs to the element that is made canonical.
unsafe extern "C" fn is_within(root: *mut c_void, node: c::xmlNodePtr, parent: c::xmlNodePtr) -> c_int {
    let root: c::xmlNodePtr = root.cast();
    // SAFETY: libxml2 passes nodes that are alive. A namespace is no node with a parent: its element comes with it.
    unsafe {
        let is_namespace = !node.is_null() && (*node).type_ == c::xmlElementType_XML_NAMESPACE_DECL;
        let mut at = if is_namespace { parent } else { node };
        while !at.is_null() {
            if at == root {
                return 1;
            }
            at = (*at).parent;
        }
    }
    0
}

/// A text of libxml2's, copied and freed.
///
/// # Safety
/// Null, or NUL-terminated and allocated by libxml2.
unsafe fn owned(text: *mut c::xmlChar) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as promised.
    unsafe {
        let copied = CStr::from_ptr(text.cast::<c_char>()).to_string_lossy().into_owned();
        if let Some(free) = c::xmlFree {
            free(text.cast());
        }
        copied
    }
}

/// A text that belongs to a document.
///
/// # Safety
/// Null, or NUL-terminated and alive as long as `'t`.
unsafe fn borrowed<'t>(text: *const c::xmlChar) -> &'t str {
    if text.is_null() {
        return "";
    }
    // SAFETY: as promised. libxml2 keeps UTF-8.
    unsafe { CStr::from_ptr(text.cast::<c_char>()) }.to_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let tree =
            Tree::parse("<a xmlns='urn:a' xmlns:b='urn:b'><b:c d='1' b:d='&lt;2'>x<e>y</e></b:c><f/></a>").unwrap();
        let root = tree.root().unwrap();
        assert!(root.is("urn:a", "a") && root.parent().is_none());
        let first = root.only("urn:b", "c").unwrap();
        assert_eq!(
            (first.attribute("", "d").as_deref(), first.attribute("urn:b", "d").as_deref()),
            (Some("1"), Some("<2"))
        );
        assert_eq!((first.text().as_str(), first.attribute("", "e")), ("xy", None));
        assert!(first.parent() == Some(root));
        assert_eq!(root.all().iter().map(|e| e.local()).collect::<Vec<_>>(), ["a", "c", "f", "e"]);
        assert!(tree.last_at(1).unwrap().is("urn:a", "f"));
        assert!(Tree::parse("<a>").is_err());
    }

    #[test]
    fn canonical_xml_has_only_what_is_used() {
        let text = "<r xmlns='urn:r' xmlns:x='urn:x' xmlns:y='urn:y'><x:a b='2' a=\"1\"><!-- c --><c/>&#xe4;\r\n</x:a><x:a/></r>";
        let tree = Tree::parse(text).unwrap();
        let element = tree.root().unwrap().children().next().unwrap();
        let canonical = |inclusive: &[String]| String::from_utf8(element.canonical(inclusive).unwrap()).unwrap();
        assert_eq!(canonical(&[]), "<x:a xmlns:x=\"urn:x\" a=\"1\" b=\"2\"><c xmlns=\"urn:r\"></c>ä\n</x:a>");
        assert!(canonical(&["y".to_owned()]).starts_with("<x:a xmlns:x=\"urn:x\" xmlns:y=\"urn:y\""));
    }

    #[test]
    fn canonical_xml_of_much_text_is_whole() {
        // Characters of several bytes at every place where a buffer may end.
        let text = "aä€😀".repeat(20_000);
        let tree = Tree::parse(&format!("<a>{text}</a>")).unwrap();
        let canonical = tree.root().unwrap().canonical(&[]).unwrap();
        assert_eq!(String::from_utf8(canonical).unwrap(), format!("<a>{text}</a>"));
        assert!(tree.text().contains(&text));
    }
}
