//! `--allowed-uids`: who scripts and products may run as, by number, however images and users write it.

use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

by_each_strategy! {
    root_is_found_in_all_its_spellings
    it_holds_for_runtime_images_and_named_users
}

fn image() -> Builder {
    let known = Builder::new().account("root", 0, 0).account("toor", 0, 0).account("worker", 431, 433).account("4711", 0, 0);
    known.by_assemble().s2i("assemble", "copy /tmp/src /app").s2i("run", "cat /app/index.txt")
}

fn root_is_found_in_all_its_spellings(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let flags = ["-m", strategy, "--allowed-uids", "1-", "--json"];
    let unset = lab.builder(image());
    lab.build(&source, &unset, "app", &flags).assert_error(3, "not-granted", &["`root`", "number is 0", "1-"]);
    for root in ["0", "00", "root", "toor", "0:1001", "root:433"] {
        let builder = lab.builder(image().user(root));
        lab.build(&source, &builder, "app", &flags).assert_error(3, "not-granted", &["number is 0", "--allowed-uids"]);
    }
    // A name of digits may be a number to an engine, or a name.
    for stranger in ["stranger", "4711"] {
        let builder = lab.builder(image().config(&format!("USER {stranger}")));
        lab.build(&source, &builder, "app", &flags).assert_error(3, "not-granted", &[stranger, "nobody knows"]);
    }
    assert_eq!(lab.image_id("app"), None);
    for allowed in ["431", "worker", "worker:0", "1001"] {
        let builder = lab.builder(image().user(allowed));
        lab.build(&source, &builder, "app", &flags[..4]).assert_success();
    }
    lab.assert_nothing_left();
}

fn it_holds_for_runtime_images_and_named_users(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(&[("index.txt", "hello")]);
    let builder = lab.builder(image().user("worker"));
    let runtime = lab.builder(image().user("root"));
    let refused = |further: &[&str], says: &[&str]| {
        let flags = [&["-m", strategy, "--allowed-uids", "1-1000", "--json"], further].concat();
        lab.build(&source, &builder, "app", &flags).assert_error(3, "not-granted", says);
    };
    refused(&["-R", &runtime, "-a", "/app/index.txt"], &["`root`", "number is 0"]);
    refused(&["--assemble-user", "toor"], &["`toor`", "number is 0"]);
    refused(&["--assemble-user", "1001"], &["`1001`", "number is 1001"]);
    assert_eq!(lab.image_id("app"), None);
    let wrong = lab.build(&source, &builder, "app", &["--allowed-uids", "10-1", "--json"]);
    wrong.assert_error(2, "invalid-argument", &["10-1"]);
    lab.assert_nothing_left();
}
