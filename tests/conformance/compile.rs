//! Generated code, compiled: all contracts as modules of one crate.

use crate::support::project;
use std::fmt::Write;
use std::process::Command;

/// Compiles the sources, each a module, and sees to it that clippy has nothing to say.
pub fn all(sources: &[(String, String)]) {
    let folder = crate_folder("checked");
    let modules = folder.join("src");
    let mut root = String::new();
    for (name, code) in sources {
        write(&modules.join(format!("{name}.rs")), code);
        let _ = writeln!(root, "pub mod {name};");
    }
    write(&modules.join("lib.rs"), &root);
    let output = Command::new(env!("CARGO"))
        .args(["clippy", "--quiet", "--offline", "--", "-D", "warnings"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("../target"))
        .env_remove("RUSTFLAGS")
        // The tests beside this one want to get on as well.
        .env("CARGO_BUILD_JOBS", "1")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", errors.chars().take(4000).collect::<String>());
}

/// The folder of a crate that has nothing yet but its manifest.
pub fn crate_folder(name: &str) -> std::path::PathBuf {
    let folder = project("target/conformance").join(name);
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let runtime = project("crates/soapstone-runtime");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         soapstone-runtime = {{ path = {:?}, features = [\"client\"] }}\n\n[profile.dev]\ndebug = false\n\n[workspace]\n",
        runtime.display().to_string()
    );
    write(&folder.join("Cargo.toml"), &manifest);
    // The same versions as ours.
    let lock = std::fs::read_to_string(project("Cargo.lock")).unwrap();
    let ours = folder.join("Cargo.lock");
    if !ours.is_file() {
        write(&ours, &lock);
    }
    folder
}

/// Leaves a file alone that says it already: then it need not be compiled again.
pub fn write(path: &std::path::Path, text: &str) {
    if std::fs::read_to_string(path).is_ok_and(|before| before == text) {
        return;
    }
    std::fs::write(path, text).unwrap();
}
