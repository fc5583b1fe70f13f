//! What is said of a component that cannot run, before anything of it is compiled.

mod common;

use common::{Guest, load};
use sti_sandbox::{Error, Invalid};

/// Loads bytes that are no plugin, and compares text and hint of the refusal.
async fn check_refuses(bytes: &[u8], why: &str, hint: &str) -> Invalid {
    let error = load(bytes).await.map(|plugin| plugin.card().clone()).expect_err(why);
    assert_eq!(error.code(), "plugin-invalid", "{error:?}");
    assert_eq!(error.to_string(), format!("plugin `guest.wasm` cannot be used: {why}"));
    assert_eq!(error.hint().as_deref(), Some(hint));
    match error {
        Error::Invalid { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

const ANEW: &str = "copy or download it again, or build it anew";
const NAME_IT: &str = "name the `.wasm` file that `cargo build --target wasm32-wasip2` makes";
const AGAINST: &str = "build it against the WIT of this sti (`sti version` says which), or update sti";

#[tokio::test]
async fn refuses_what_is_no_component() {
    check_refuses(b"", "it is empty", ANEW).await;
    check_refuses(b"\x7fELF\x02\x01\x01\x00", "it is no WebAssembly: it begins with 7f 45 4c 46", NAME_IT).await;
    let text = "it is no WebAssembly but looks like text (WAT or a script)";
    check_refuses(b"(component)", text, NAME_IT).await;
    check_refuses("#!/bin/sh\necho äöü\n".repeat(100).as_bytes(), text, NAME_IT).await;
    let core = component("(module)");
    let build = "build it for the target `wasm32-wasip2`, which makes components";
    check_refuses(&core, "it is a core module, and plugins are components", build).await;
}

#[tokio::test]
async fn refuses_a_component_that_is_cut_off_anywhere() {
    let bytes = Guest::default().bytes();
    for end in (4..bytes.len()).step_by(97) {
        let error = load(&bytes[..end]).await.map(|plugin| plugin.card().clone()).expect_err("it is cut off");
        let Error::Invalid { why, .. } = &error else { panic!("{end}: {error:?}") };
        assert!(matches!(why, Invalid::Damaged { .. } | Invalid::NoKind { .. }), "{end}: {why:?}");
    }
}

#[tokio::test]
async fn refuses_a_component_with_wrong_bytes_in_it() {
    let bytes = Guest::default().bytes();
    for place in (8..bytes.len()).step_by(61) {
        let mut wrong = bytes.clone();
        wrong[place] ^= 0x55;
        // Some bytes do not matter, such as letters of a name; none may bring the host down.
        if let Err(error) = load(&wrong).await {
            assert!(error.code().starts_with("plugin-"), "{place}: {error:?}");
        }
    }
}

#[tokio::test]
async fn refuses_a_component_that_exports_no_known_kind() {
    let hint = "register the plugin with a macro of the crate `sti-plugin`, such as `strategy!`";
    let kinds = "it exports none of `sti:plugin/strategy`, `sti:plugin/fetcher` and `sti:plugin/validator`";
    check_refuses(&component("(component)"), kinds, hint).await;
    let other = component(r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#);
    check_refuses(&other, &format!("{kinds} (it exports wasi:cli/run@0.2.0)"), hint).await;
}

#[tokio::test]
async fn says_which_side_is_to_be_updated() {
    let guest = |plugin_version, host_version| Guest { host_version, plugin_version, ..Guest::default() }.bytes();
    let newer = "it was built for sti:plugin 0.2.0, and this sti serves 0.1.0";
    check_refuses(&guest("0.2.0", "0.2.0"), newer, "update sti").await;
    let newer = "it was built for sti:host 1.0.0, and this sti serves 0.1.0";
    check_refuses(&guest("0.1.0", "1.0.0"), newer, "update sti").await;
    let older = "it was built for sti:plugin 0.0.9, and this sti serves 0.1.0";
    check_refuses(&guest("0.0.9", "0.0.9"), older, "rebuild the plugin with a newer SDK").await;
}

#[tokio::test]
async fn refuses_imports_that_do_not_exist() {
    let unknown = r#"(import "sti:host/planes@0.1.0" (instance))"#;
    let bytes = Guest { imports: unknown, ..Guest::default() }.bytes();
    let why = "it imports `sti:host/planes@0.1.0`, which this sti does not offer";
    check_refuses(&bytes, why, "did you mean `sti:host/plans`?").await;

    let foreign = r#"(import "wasi:nn/tensor@0.2.0" (instance))"#;
    let bytes = Guest { imports: foreign, ..Guest::default() }.bytes();
    let why = "it imports `wasi:nn/tensor@0.2.0`, which this sti does not offer";
    check_refuses(&bytes, why, "a plugin may import interfaces of `sti:host` and inert WASI 0.2 only").await;

    let bare = r#"(import "exec" (func (param "command" string)))"#;
    let bytes = Guest { imports: bare, ..Guest::default() }.bytes();
    let why = "it imports `exec`, which this sti does not offer";
    check_refuses(&bytes, why, "a plugin may import interfaces of `sti:host` and inert WASI 0.2 only").await;
}

#[tokio::test]
async fn refuses_functions_that_do_not_exist() {
    let import = |version: &str| format!(r#"(import "sti:host/blobs@{version}" (instance (export "mount" (func))))"#);
    let bytes = Guest { imports: &import("0.1.0"), ..Guest::default() }.bytes();
    check_refuses(&bytes, "it calls `mount` of `sti:host/blobs@0.1.0`, and there is no such function", AGAINST).await;
    let bytes = Guest { imports: &import("0.1.9"), ..Guest::default() }.bytes();
    check_refuses(&bytes, "it was built for sti:host 0.1.9, and this sti serves 0.1.0", "update sti").await;
}

#[tokio::test]
async fn refuses_powers_that_a_kind_may_never_use() {
    let import = r#"(import "sti:host/http@0.1.0" (instance (export "send" (func))))"#;
    let bytes = Guest { imports: import, ..Guest::default() }.bytes();
    let why = "it calls `send` of `sti:host/http@0.1.0`, which a strategy may never use";
    check_refuses(&bytes, why, "a strategy looks and decides; leave the call out").await;
}

#[tokio::test]
async fn refuses_functions_of_another_shape() {
    let import = r#"(import "sti:host/blobs@0.1.0" (instance (export "blob" (func))))"#;
    let bytes = Guest { imports: import, ..Guest::default() }.bytes();
    check_refuses(&bytes, "it calls `blob` of `sti:host/blobs@0.1.0`, and there is no such function", AGAINST).await;

    let import = r#"(import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" string)))))"#;
    let bytes = Guest { imports: import, ..Guest::default() }.bytes();
    let error = load(&bytes).await.map(|plugin| plugin.card().clone()).expect_err("no string is expected there");
    assert!(matches!(&error, Error::Invalid { why: Invalid::Mismatch { .. }, .. }), "{error:?}");
}

#[tokio::test]
async fn refuses_a_component_that_is_too_large() {
    let sandbox = common::sandbox(sti_sandbox::Limits { component_bytes: 100, ..common::patient() });
    let bytes = vec![0; 101];
    let error =
        sandbox.load(sti_sandbox::Component { shown: "x", digest: None, bytes: &bytes }).await.map(|_| ()).expect_err("large");
    assert_eq!(error.to_string(), "plugin `x` cannot be used: it has 101 bytes, and at most 100 are read");
}
