//! Bad input of all kinds by the contract `assemble`: it is refused, or taken for what it says, and nothing is lost, left behind or done twice. What is wrong
//! whatever the contract is tried once more of each kind; `errors.rs`, `sources.rs` and `product.rs` try more of it.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and makes its surroundings")]

#[path = "assemble_bad_input/addresses.rs"]
mod addresses;
#[path = "assemble_bad_input/artifacts.rs"]
mod artifacts;
#[path = "assemble_bad_input/labels.rs"]
mod labels;
#[path = "assemble_bad_input/requests.rs"]
mod requests;
#[path = "assemble_bad_input/scripts.rs"]
mod scripts;
#[path = "assemble_bad_input/sources.rs"]
mod sources;
#[path = "../../plugins/archive/tests/archive/make/tar.rs"]
#[allow(dead_code, reason = "the plugin's own tests need more of it")]
mod tar;
#[path = "assemble_bad_input/users.rs"]
mod users;

use sti_tests::{Builder, Lab};

/// A builder image that takes the source over, and whose products print its `index.txt`.
fn image() -> Builder {
    Builder::new().user("1001:7").by_assemble().s2i("assemble", "copy /tmp/src /app").s2i("run", "cat /app/index.txt")
}

fn source(lab: &Lab) -> String {
    lab.source(&[("index.txt", "hello")])
}

/// The lines that `list` wrote into a file of a product, without that of the directory itself.
fn listed_in(lab: &Lab, path: &str) -> Vec<String> {
    let listed = lab.product_file("app", path).unwrap_or_else(|| panic!("no {path}"));
    listed.lines().filter(|line| !line.ends_with(" .")).map(str::to_owned).collect()
}
