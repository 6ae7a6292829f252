//! The clients: how each is built and run.

use super::{Results, Stand};
use crate::support::project;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A client that others wrote.
pub struct Client {
    pub name: &'static str,
    /// For the table: what it is, and where it is from.
    pub about: &'static str,
    /// The versions of SOAP that it speaks.
    pub versions: &'static [&'static str],
    /// Builds it and runs every case.
    pub run: fn(&Stand, &str) -> Results,
}

pub const ZEEP: Client = Client {
    name: "zeep",
    about: "Python, Debian's python3-zeep",
    versions: BOTH,
    run: |stand, version| python(stand, version, "/usr/bin/python3", "zeep_client.py"),
};
pub const PHP: Client = Client { name: "PHP", about: "Debian's php-soap", versions: BOTH, run: php };
pub const GSOAP: Client = Client { name: "gSOAP", about: "C++, Debian's gsoap", versions: BOTH, run: gsoap };

pub const ALL: &[Client] = &[
    ZEEP,
    Client {
        name: "suds-community",
        about: "Python, from PyPI",
        versions: FIRST,
        run: |stand, version| {
            let own = installed("python/bin/python");
            python(stand, version, own.to_str().unwrap(), "suds_client.py")
        },
    },
    Client {
        name: "soap",
        about: "Node.js, from npm",
        versions: BOTH,
        run: |stand, version| node(stand, version, "soap_client.js"),
    },
    Client {
        name: "strong-soap",
        about: "Node.js, from npm",
        versions: BOTH,
        run: |stand, version| node(stand, version, "strong_client.js"),
    },
    PHP,
    GSOAP,
    Client { name: "SOAP::Lite", about: "Perl, Debian's libsoap-lite-perl", versions: BOTH, run: perl },
    Client {
        name: "CXF",
        about: "Java, Apache CXF 4.1 from Maven Central",
        versions: BOTH,
        run: |stand, version| java(stand, version, "cxf", cxf),
    },
    Client {
        name: "Metro",
        about: "Java, the reference implementation of JAX-WS 4.0, from Maven Central",
        versions: BOTH,
        run: |stand, version| java(stand, version, "metro", metro),
    },
    Client {
        name: "Axis 1.4",
        about: "Java, of 2006, from Maven Central",
        versions: FIRST,
        run: |stand, version| java(stand, version, "axis", axis),
    },
    Client {
        name: ".NET",
        about: "the proxies of `wsdl`, Debian's mono-devel; its `svcutil` leaves out the types of messages, so that WCF is not tried",
        versions: BOTH,
        run: mono,
    },
];

const BOTH: &[&str] = &["1.1", "1.2"];
const FIRST: &[&str] = &["1.1"];

/// Where `make interop` puts what it installs.
pub fn installed(path: &str) -> PathBuf {
    project("target/interop").join(path)
}

pub fn source(path: &str) -> PathBuf {
    project("tests/interop").join(path)
}

/// Runs a program and reads the cases that it prints.
fn results(command: &mut Command) -> Results {
    let output = command.env("TZ", "America/St_Johns").env_remove("http_proxy").env_remove("https_proxy").output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}; `make tools`, or `make interop`, installs it"));
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {printed}\n{errors}");
    let cases = printed.lines().filter_map(|line| line.split_once('\t'));
    cases.map(|(case, result)| (case.to_owned(), result.to_owned())).collect()
}

/// Runs a program that builds a client.
pub fn build(folder: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}; `make tools`, or `make interop`, installs it"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
}

fn python(stand: &Stand, version: &str, python: &str, script: &str) -> Results {
    results(Command::new(python).arg(source("python").join(script)).args(stand.arguments(version)))
}

fn php(stand: &Stand, version: &str) -> Results {
    results(Command::new("php").arg(source("php/client.php")).args(stand.arguments(version)))
}

/// From the served contract to a C++ program, as gSOAP's manual has it, with its plugin for WS-Security.
fn gsoap(stand: &Stand, version: &str) -> Results {
    const SHARE: &str = "/usr/share/gsoap";
    let folder = stand.folder();
    let contracts = ["catalog", "exchange"].map(|name| format!("{}/soap/{name}?wsdl", stand.base()));
    build(&folder, "wsdl2h", &["-O2", "-o", "contract.h", &contracts[0], &contracts[1]]);
    let header = std::fs::read_to_string(folder.join("contract.h")).unwrap();
    std::fs::write(folder.join("soapstone.h"), format!("#import \"wsse.h\"\n{header}")).unwrap();
    let soap = if version == "1.1" { "-1" } else { "-2" };
    build(&folder, "soapcpp2", &[soap, "-j", "-C", "-x", &format!("-I{SHARE}/import:{SHARE}"), "soapstone.h"]);
    let main = source("gsoap/client.cpp");
    let plugins =
        ["plugin/wsseapi.cpp", "plugin/smdevp.c", "plugin/mecevp.c", "plugin/threads.c", "custom/struct_timeval.c"];
    let plugins = plugins.map(|file| format!("{SHARE}/{file}"));
    let mut arguments = vec!["-O0", "-o", "client", "-I.", "-I/usr/share/gsoap", "-I/usr/share/gsoap/plugin"];
    // As Debian's library was built.
    arguments.extend([
        "-DWITH_OPENSSL",
        "-DWITH_GZIP",
        "-DWITH_IPV6",
        "-DWITH_DOM",
        main.to_str().unwrap(),
        "soapC.cpp",
    ]);
    arguments.extend(["soapCatalogSoap11Proxy.cpp", "soapExchangeSoap11Proxy.cpp"]);
    arguments.extend(plugins.iter().map(String::as_str));
    arguments.extend(["-lgsoapssl++", "-lssl", "-lcrypto", "-lz"]);
    build(&folder, "g++", &arguments);
    results(Command::new(folder.join("client")).args(stand.arguments(version)))
}

fn node(stand: &Stand, version: &str, script: &str) -> Results {
    // Packages are looked for from where a script is.
    let folder = stand.folder();
    for file in ["common.js", script] {
        std::fs::copy(source("node").join(file), folder.join(file)).unwrap();
    }
    let packages = installed("node_modules");
    std::os::unix::fs::symlink(&packages, folder.join("node_modules")).unwrap();
    results(Command::new("node").arg(folder.join(script)).args(stand.arguments(version)))
}

fn perl(stand: &Stand, version: &str) -> Results {
    results(Command::new("perl").arg(source("perl/client.pl")).args(stand.arguments(version)))
}

/// The proxies of `wsdl`, by Mono's compiler.
fn mono(stand: &Stand, version: &str) -> Results {
    let folder = stand.folder();
    for (name, namespace) in [("Catalog", "Soapstone"), ("Exchange", "Soapstone.Exchange")] {
        let contract = format!("{}/soap/{}?wsdl", stand.base(), name.to_lowercase());
        build(&folder, "wsdl", &[&format!("-out:{name}.cs"), &format!("-namespace:{namespace}"), &contract]);
    }
    let sources = ["Common.cs", "Proxies.cs"].map(|file| source("dotnet").join(file).display().to_string());
    let libraries = ["-r:System.Web.Services", "-r:System.Xml"];
    let own = ["-out:client.exe", "Catalog.cs", "Exchange.cs", &sources[0], &sources[1]];
    build(&folder, "mcs", &[&libraries[..], &own].concat());
    results(Command::new("mono").arg(folder.join("client.exe")).args(stand.arguments(version)))
}

/// The jars of a stack, for its class path.
pub fn jars(stack: &str) -> String {
    format!("{}/*", installed(stack).display())
}

/// Makes the classes of both contracts by a stack's tool, compiles them with our client, and runs it.
fn java(stand: &Stand, version: &str, stack: &str, tool: fn(&Stand, &str, &str)) -> Results {
    let folder = stand.folder();
    for made in ["src", "out"] {
        std::fs::create_dir_all(folder.join(made)).unwrap();
    }
    for name in ["catalog", "exchange"] {
        tool(stand, &jars(stack), name);
    }
    let own = if stack == "axis" { vec!["AxisClient.java"] } else { vec!["Client.java", "Stack.java"] };
    let own = own.iter().map(|file| match *file {
        "Stack.java" => source("java").join(stack).join(file),
        file => source("java").join(file),
    });
    let mut arguments: Vec<String> =
        ["-nowarn", "-Xlint:none", "-encoding", "UTF-8", "-cp", &jars(stack), "-sourcepath", "src", "-d", "out"]
            .map(str::to_owned)
            .to_vec();
    arguments.extend(own.map(|path| path.display().to_string()));
    arguments.extend(not_named(&folder));
    build(&folder, "javac", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let class_path = format!("{}:{}", folder.join("out").display(), jars(stack));
    let main = if stack == "axis" { "AxisClient" } else { "Client" };
    results(Command::new("java").args(["-cp", &class_path, main]).args(stand.arguments(version)))
}

/// The files that no class names, so that the compiler does not look for them.
fn not_named(folder: &Path) -> Vec<String> {
    let files = ["catalog", "exchange"].map(|name| folder.join("src").join(name).join("package-info.java"));
    files.iter().filter(|path| path.is_file()).map(|path| path.display().to_string()).collect()
}

fn cxf(stand: &Stand, jars: &str, name: &str) {
    let contract = format!("{}/soap/{name}?wsdl", stand.base());
    let tool = "org.apache.cxf.tools.wsdlto.WSDLToJava";
    build(&stand.folder(), "java", &["-cp", jars, tool, "-d", "src", "-p", name, &contract]);
}

fn metro(stand: &Stand, jars: &str, name: &str) {
    let contract = format!("{}/soap/{name}?wsdl", stand.base());
    let tool = "com.sun.tools.ws.WsImport";
    build(&stand.folder(), "java", &["-cp", jars, tool, "-quiet", "-Xnocompile", "-s", "src", "-p", name, &contract]);
}

/// Axis knows SOAP 1.1 only, and fails at contracts that have the other too.
fn axis(stand: &Stand, jars: &str, name: &str) {
    let contract = format!("{}/soap/{name}?wsdl&soap=1.1", stand.base());
    let tool = "org.apache.axis.wsdl.WSDL2Java";
    build(&stand.folder(), "java", &["-cp", jars, tool, "-o", "src", "-p", name, &contract]);
    build(&stand.folder(), "java", &["-cp", jars, tool, "-a", "-o", "all", "-p", name, &contract]);
    let package = stand.folder().join("src").join(name);
    // It forgets the items of lists.
    let items = "ListMember.java";
    if name == "catalog" {
        std::fs::copy(stand.folder().join("all/catalog").join(items), package.join(items)).unwrap();
    }
    for file in std::fs::read_dir(&package).unwrap().flatten().filter(|file| file.path().is_file()) {
        let text = std::fs::read_to_string(file.path()).unwrap();
        if let Some(mended) = with_value(&text) {
            std::fs::write(file.path(), mended).unwrap();
        }
    }
}

/// And it forgets the value of what has attributes, where its type is derived from another: its users write that by hand.
fn with_value(class: &str) -> Option<String> {
    const BODY: &str = " _value) {\n        super(_value);\n    }";
    let end = class.find(BODY)?;
    let start = class[..end].rfind("public ")?;
    let (name, kind) = class[start + "public ".len()..end].split_once('(')?;
    let from_text = if kind.ends_with("String") {
        String::new()
    } else {
        format!("    public {name}(String text) {{ this._value = new {kind}(text); }}\n")
    };
    Some(class.replace(
        &class[start..end + BODY.len()],
        &format!(
            "public {name}({kind} _value) {{ this._value = _value; }}\n{from_text}\
             \x20   private {kind} _value;\n    public {kind} get_value() {{ return _value; }}\n\
             \x20   public void set_value({kind} _value) {{ this._value = _value; }}\n\
             \x20   public String toString() {{ return String.valueOf(_value); }}"
        ),
    ))
}

/// CXF with nothing but the contract, whose policy says what to do.
pub fn cxf_by_policy(folder: &Path, base: &str, certs: &Path) -> String {
    let jars = jars("cxf");
    let contract = format!("{base}/soap/catalog?wsdl");
    for made in ["src", "out"] {
        std::fs::create_dir_all(folder.join(made)).unwrap();
    }
    let tool = "org.apache.cxf.tools.wsdlto.WSDLToJava";
    build(folder, "java", &["-cp", &jars, tool, "-d", "src", "-p", "catalog", &contract]);
    let own = source("java/cxf/Policy.java");
    let source_path = folder.join("src");
    let paths = ["-sourcepath", source_path.to_str().unwrap(), "-d", "out", own.to_str().unwrap()];
    let more = not_named(folder);
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    build(folder, "javac", &[&["-nowarn", "-encoding", "UTF-8", "-cp", &jars], &paths[..], &more].concat());
    let class_path = format!("{}:{jars}", folder.join("out").display());
    let output = Command::new("java").args(["-cp", &class_path, "Policy", base]).arg(certs).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
