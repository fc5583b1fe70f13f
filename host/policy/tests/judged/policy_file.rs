//! What a policy file does: it vets, and it narrows. And how it says that it is wrong.

use std::fmt::Write;
use std::path::Path;

use sti_core::Plan;
use sti_core::plan::*;
use sti_policy::{Error, Limits, Named, Origin, PluginIdentity, Policy, Whose};

use crate::support::*;

fn policy(text: &str) -> Policy {
    let text = text.replace("DIGEST", &plugin().digest);
    Policy::parse(&text, Path::new("/etc/sti/policy.toml"), Whose::Site).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// A policy file, and what is changed of an honest plan.
type Row = (&'static str, fn(&mut Plan, &mut Named));

fn judged(row: &Row) -> String {
    let (mut plan, mut named) = (plan(), named());
    row.1(&mut plan, &mut named);
    match policy(row.0).approve(plan, &plugin(), &named) {
        Ok(_) => "approved\n".to_owned(),
        Err(denial) => printed(&denial),
    }
}

fn check_judges(rows: &[Row]) -> String {
    rows.iter().map(|row| format!("{}\n=> {}", row.0, judged(row))).collect::<Vec<_>>().join("\n")
}

fn check_reports(texts: &[&str]) -> String {
    let mut report = String::new();
    for text in texts {
        let error = Policy::parse(text, Path::new("policy.toml"), Whose::User).expect_err(text);
        let _ = writeln!(report, "{text}\n=> {}\n", told(&error));
    }
    report
}

fn told(error: &Error) -> String {
    let because = error.because().map(|because| format!("\n  because: {because}")).unwrap_or_default();
    let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("{}: {error}{because}{hint}", error.code())
}

#[test]
fn narrows_what_the_user_named() {
    let report = check_judges(&[
        ("", |_, _| {}),
        ("[defaults]\nimages = [\"docker.io/library/*\"]", |_, _| {}),
        ("[defaults]\nimages = [\"registry.corp/builders/*\"]", |_, _| {}),
        ("[defaults]\nimages = [\"registry.corp/builders/*\"]", |plan, _| {
            plan.steps[0] = run(image("registry.corp/builders/python:3"));
        }),
        ("[defaults]\nimages = [\"docker.io/library/node\"] # names what the user did not", |plan, _| {
            plan.steps[0] = run(image("node"));
        }),
        ("[defaults]\nimages = []\n[plugins.commit]\ndigest = \"DIGEST\"\nimages = [\"docker.io/library/builder\"]", |_, _| {}),
        ("[plugins.commit]\ndigest = \"DIGEST\"\nimages = [\"registry.corp/**\"] # earlier products as well", |plan, _| {
            plan.steps[0] = run(image("app:1-build"));
        }),
        ("[defaults]\nroot = false", |_, _| {}),
        ("[defaults]\nroot = false", |plan, _| plan.steps[0] = run(image("rooted"))),
        ("[defaults]\nroot = false # a name may be root", |plan, _| plan.steps[0] = run(image_of("builder", "app"))),
        ("[defaults]\nroot = true # widens nothing", |plan, _| run_of(plan).user = Some("0".to_owned())),
        ("[defaults]\nnetwork = \"none\"", |_, _| {}),
        ("[defaults]\nnetwork = \"outgoing\" # widens nothing", |_, named| named.network = Network::None),
        ("vetted-only = true", |_, _| {}),
        ("vetted-only = true\n[plugins.any-name]\ndigest = \"DIGEST\"", |_, _| {}),
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn vets_by_digest_whatever_the_name_the_origin_and_the_rest() {
    let other = format!("sha256:{}", "cd".repeat(32));
    let vetting = policy("vetted-only = true\n[plugins.commit]\ndigest = \"DIGEST\"");
    assert_eq!(vetting.vet(&plugin()), Ok(()));
    assert_eq!(vetting.vet(&PluginIdentity { name: "other".to_owned(), ..plugin() }), Ok(()));
    let liar = PluginIdentity { digest: other.clone(), ..plugin() };
    let stranger = PluginIdentity { name: "my plugin\n[x]".to_owned(), digest: other, origin: Origin::File("fast.wasm".into()) };
    let denials = [vetting.vet(&liar), vetting.vet(&stranger)].map(|verdict| printed(&verdict.expect_err("not vetted")));
    insta::assert_snapshot!(denials.join("\n"));
    assert_eq!(policy("[plugins.commit]\ndigest = \"DIGEST\"").vet(&stranger), Ok(()));
    assert_eq!(Policy::none().vet(&stranger), Ok(()));
}

#[test]
fn gives_a_section_to_its_component_and_to_no_namesake() {
    let policy = policy("[defaults]\nseconds = 5\nmemory = \"1 MiB\"\n[plugins.commit]\ndigest = [\"DIGEST\"]\nseconds = 60");
    let own = policy.grant(&plugin(), &named()).limits();
    assert_eq!((own.seconds, own.memory), (Some(60), Some(1 << 20)));
    let namesake = PluginIdentity { digest: format!("sha256:{}", "cd".repeat(32)), ..plugin() };
    assert_eq!(policy.grant(&namesake, &named()).limits().seconds, Some(5));
}

#[test]
fn gives_more_memory_and_time_in_the_site_s_file_only() {
    let text = "[defaults]\nmemory = \"1 GiB\"\n";
    for whose in [Whose::Site, Whose::User] {
        let policy = Policy::parse(text, Path::new("policy.toml"), whose).unwrap();
        let expected = Limits { memory: Some(1 << 30), seconds: None, may_widen: whose == Whose::Site };
        assert_eq!(policy.own_limits(&plugin()), expected);
        assert_eq!(policy.grant(&plugin(), &named()).limits(), expected);
    }
}

#[test]
fn prints_a_grant() {
    let policy = policy("[defaults]\nimages = [\"registry.corp/**\"]\nroot = false\nnetwork = \"none\"\nmemory = \"64 MiB\"");
    let grants = format!("{}\n\n{}", Policy::none().grant(&plugin(), &named()), policy.grant(&plugin(), &named()));
    insta::assert_snapshot!(grants);
}

#[test]
fn says_what_is_wrong_with_a_file_and_in_which_line() {
    let report = check_reports(&[
        "vetted-only = true\nvetted = 1",
        "vetted_only = true",
        "\n\n[default]\nroot = false",
        "[defaults]\nimage = []",
        "[defaults]\ndigest = \"sha256:0\"",
        "[plugins.commit]\nnetwork = \"none\"",
        "[plugins.commit]\ndigest = \"sha256:12\"",
        "[plugins]\ncommit = 1",
        "vetted-only = \"yes\"",
        "[defaults]\nnetwork = \"host\"",
        "[defaults]\nimages = \"*\"",
        "[defaults]\nimages = [\"python\"]",
        "[defaults]\nimages = [\"registry.corp/[a\"]",
        "[defaults]\nmemory = \"lots\"",
        "[defaults]\nmemory = 64",
        "[defaults]\nseconds = 0",
        "[defaults]\nseconds = -1",
        "[defaults]\nhosts = \"github.com\"",
        "[defaults]\nhosts = [\"https://github.com\"]",
        "[defaults]\nhosts = [\"10.1.2.3/8\"]",
        "[defaults]\nallow-hosts = [\"github.com\"]",
        "[defaults]\nprivate-hosts = [\"*.intern.example\"]",
        "[defaults]\nprivate-hosts = [\"0.0.0.0/0\"]",
        "[defaults]\nentries = 0",
        "[defaults]\nbytes = \"many\"",
        "[defaults]\ndepth = 1000",
        "[defaults]\ntotal-seconds = \"1 GiB\"",
        "[defaults]\nroot = false\nroot = true",
        "[defaults",
    ]);
    insta::assert_snapshot!(report);
}

#[test]
fn refuses_a_digest_in_two_sections() {
    let digest = plugin().digest;
    let text = format!("[plugins.a]\ndigest = \"{digest}\"\n[plugins.b]\ndigest = \"{digest}\"");
    let error = Policy::parse(&text, Path::new("policy.toml"), Whose::User).expect_err("two sections");
    assert_eq!(error.to_string(), "policy.toml:3: `b` has a digest that [plugins.a] has too");
}

#[test]
fn reads_the_example_of_the_documentation() {
    let page = include_str!("../../../../docs/policy.md");
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page has an example");
    let policy = Policy::parse(example, Path::new("policy.toml"), Whose::User).unwrap_or_else(|error| panic!("{error}"));
    assert!(policy.is_vetted_only());
    let fast = PluginIdentity { digest: format!("sha256:{:064}", 3), ..plugin() };
    assert_eq!(policy.vet(&fast), Ok(()));
    assert_eq!(policy.grant(&fast, &named()).network(), Network::None);
    assert_eq!(policy.grant(&fast, &named()).limits().memory, Some(256 << 20));
    assert!(policy.vet(&plugin()).is_err());
}
