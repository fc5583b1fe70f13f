//! Users: each of them in every spelling works, and root in none of them comes in where it was not allowed.

use sti_tests::{Builder, Lab, by_each_strategy, needs_engine};

use crate::source;

by_each_strategy! {
    scripts_and_product_run_as_the_user_of_the_image
    a_label_brings_root_in_by_no_spelling
    allowed_uids_keep_root_out_whatever_image_flag_or_list_says
    a_user_that_nobody_knows_is_named
}

/// The user of an image, and who that is as `UID:GID`.
const USERS: [(&str, &str); 6] = [
    ("", "0:0"),
    ("worker", "431:433"),
    ("431", "431:433"),
    ("9431", "9431:0"),
    ("431:500", "431:500"),
    ("worker:staff", "431:501"),
];

fn image() -> Builder {
    let known = Builder::new().account("root", 0, 0).account("toor", 0, 0).account("worker", 431, 433).account("staff", 500, 501);
    known.by_assemble().s2i("assemble", "copy /tmp/src /app").s2i("run", "whoami -")
}

fn scripts_and_product_run_as_the_user_of_the_image(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    let assemble = "whoami /app/who\nlist /tmp /app/seen\nappend /tmp/src/index.txt ', changed'\ncopy /tmp/src /app/src";
    for (user, ids) in USERS {
        let image = image().s2i("assemble", assemble).s2i("save-artifacts", "tar /app/src");
        let builder = lab.builder(if user.is_empty() { image } else { image.user(user) });
        for flags in [&["-m", strategy][..], &["-m", strategy, "--incremental=require"]] {
            lab.build(&source, &builder, "app", flags).assert_success();
        }
        let file = |path: &str| lab.product_file("app", path).unwrap_or_else(|| panic!("no {path} of user {user:?}"));
        let is_they = |who: &str| who.starts_with(&format!("uid={} ", ids.replace(':', " gid=")));
        assert!(is_they(&file("/app/who")), "assemble as {user:?}: {}", file("/app/who"));
        let seen = crate::listed_in(&lab, "/app/seen");
        assert!(seen.iter().any(|line| line.ends_with(" artifacts/index.txt")), "{seen:#?}");
        assert!(seen.iter().all(|line| line.contains(&format!(" {ids} "))), "{user:?}: {seen:#?}");
        assert_eq!(file("/app/src/index.txt"), "hello, changed");
        let run = lab.run("app").output.stdout;
        assert!(is_they(&run), "run as {user:?}: {run}");
        assert_eq!(lab.config("app")["User"], *user);
    }
    lab.assert_nothing_left();
}

/// Root, as an image or a user may write it. Engines read all of them so.
const ROOT: [&str; 10] = ["0", "00", "+0", "-0", "0:7", ":7", "root", "root:7", "toor", "toor:7"];

fn a_label_brings_root_in_by_no_spelling(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    for root in ROOT {
        let label = format!("LABEL io.openshift.s2i.assemble-user={root}");
        let builder = lab.builder(image().user("1001").config(&label));
        let refused = lab.build(&source, &builder, "app", &["-m", strategy, "--json"]);
        refused.assert_error(3, "not-granted", &[]);
        assert_eq!(lab.image_id("app"), None, "{root}");
    }
    lab.assert_nothing_left();
}

fn allowed_uids_keep_root_out_whatever_image_flag_or_list_says(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let source = source(&lab);
    let allowed = ["-m", strategy, "--allowed-uids", "1-", "--json"];
    for root in ROOT {
        let builder = lab.builder(image().config(&format!("USER {root}")));
        lab.build(&source, &builder, "app", &allowed).assert_error(3, "not-granted", &[]);
    }
    let worker = lab.builder(image().user("worker"));
    for root in ROOT {
        lab.build(&source, &worker, "app", &[&allowed[..], &[&format!("--assemble-user={root}")]].concat()).assert_exit(3);
    }
    // Engines read these lists in their own way: a name of digits is a number to them, and a number that is none is 0.
    let lists = [
        ("0:x:1000:1000::/:/none\n", "0"),
        ("0:x:1000:1000::/:/none\n", "root"),
        ("worker:x:none:433::/:/none\nworker:x:431:433::/:/none\n", "worker"),
        ("worker\nworker:x:431:433::/:/none\n", "worker"),
        (" worker:x:0:0::/:/none\nworker:x:431:433::/:/none\n", "worker"),
    ];
    for (list, user) in lists {
        let image = Builder::new().by_assemble().s2i("assemble", "whoami /app/who").s2i("run", "whoami -");
        let builder = lab.builder(image.file("/etc/passwd", 0o644, list).config(&format!("USER {user}")));
        lab.build(&source, &builder, "app", &allowed).assert_error(3, "not-granted", &[user, "--allowed-uids"]);
    }
    assert_eq!(lab.image_id("app"), None);
    lab.build(&source, &worker, "app", &allowed).assert_success();
    lab.assert_nothing_left();
}

fn a_user_that_nobody_knows_is_named(strategy: &str) {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(image().config("USER nobody-here"));
    let failed = lab.build(&source(&lab), &builder, "app", &["-m", strategy, "--json"]);
    assert!(matches!(failed.status.code(), Some(1..=5)), "{failed}");
    failed.assert_says("nobody-here");
    assert_eq!(lab.image_id("app"), None);
    lab.assert_nothing_left();
}
