//! `sti validate`: every finding of every image, and an exit code that says whether all pass.
#![expect(clippy::unwrap_used, reason = "a test ends by a panic")]

use serde_json::{Value, json};
use sti_tests::{Builder, Lab, Outcome, needs_engine};

fn whole() -> Builder {
    Builder::new().user("1001").prepare("print prepared").run("print running")
}

fn saving() -> Builder {
    whole().save("print saved")
}

/// A builder with as much wrong as fits: prepare may not be executed, run is a directory, and nothing can be saved.
fn broken() -> Builder {
    Builder::new().user("1001").file("/usr/bin/prepare", 0o640, "#!").directory("/usr/bin/run", 0o755)
}

/// An image of `--json` as its role, whether it passes, and the codes of what was found.
type Verdict = (&'static str, bool, Vec<&'static str>);

/// Each image of `--json` as role, whether it passes, and the codes of what was found.
fn verdicts(outcome: &Outcome) -> Vec<(String, bool, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}\n{outcome}"));
    let images = document["images"].as_array().unwrap();
    let codes = |image: &Value| image["findings"].as_array().unwrap().iter().map(|finding| text(&finding["code"])).collect();
    images.iter().map(|image| (text(&image["role"]), image["passes"] == true, codes(image))).collect()
}

fn validate(lab: &Lab, arguments: &[&str]) -> Outcome {
    lab.sti([&["validate"], arguments].concat())
}

#[test]
fn an_image_with_its_scripts_passes() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(whole());
    let passed = validate(&lab, &[&builder]);
    passed.assert_success();
    assert_eq!(passed.stdout, format!("builder image {builder} passes\n"));
    assert_eq!(passed.stderr, "");
    lab.assert_nothing_left();
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_what_to_do() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(broken());
    let failed = validate(&lab, &[&builder, "-I"]);
    failed.assert_exit(1).assert_says(&format!("builder image {builder} fails"));
    for script in ["/usr/bin/prepare", "/usr/bin/run", "/usr/bin/save-artifacts"] {
        let about = failed.stdout.lines().filter(|line| line.starts_with("  - ") && line.contains(script)).count();
        assert_eq!(about, 1, "one finding about {script}\n{failed}");
    }
    assert_eq!(failed.stdout.matches("hint: ").count(), 3, "{failed}");
    let codes = ["prepare-not-executable", "run-not-a-file", "save-artifacts-missing"].map(str::to_owned);
    let failed = validate(&lab, &[&builder, "-I", "--json"]);
    failed.assert_condition(1, "validation-failed");
    assert_eq!(verdicts(&failed), [("builder".to_owned(), false, codes.to_vec())]);
    lab.assert_nothing_left();
}

#[test]
fn saving_is_asked_for_only_where_a_build_needs_it() {
    needs_engine!();
    let lab = Lab::new();
    let (plain, saving) = (lab.builder(whole()), lab.builder(saving()));
    let missing = || vec!["save-artifacts-missing"];
    let cases: [(&[&str], Vec<Verdict>); 6] = [
        (&[&plain], vec![("builder", true, vec![])]),
        (&[&plain, "-I"], vec![("builder", false, missing())]),
        (&[&saving, "-I"], vec![("builder", true, vec![])]),
        (&[&saving, "-R", &plain], vec![("builder", true, vec![]), ("runtime", true, vec![])]),
        (&[&saving, "--incremental", "--runtime", &plain], vec![("builder", true, vec![]), ("runtime", true, vec![])]),
        (&[&plain, "-R", &saving], vec![("builder", false, missing()), ("runtime", true, vec![])]),
    ];
    for (arguments, expected) in cases {
        let outcome = validate(&lab, &[arguments, &["--json"]].concat());
        outcome.assert_exit(i32::from(!expected.iter().all(|(_, passes, _)| *passes)));
        let owned = |codes: Vec<&str>| codes.into_iter().map(str::to_owned).collect();
        let expected: Vec<_> =
            expected.into_iter().map(|(role, passes, codes)| (role.to_owned(), passes, owned(codes))).collect();
        assert_eq!(verdicts(&outcome), expected, "{outcome}");
    }
    lab.assert_nothing_left();
}

#[test]
fn both_images_are_judged_even_where_the_first_fails() {
    needs_engine!();
    let lab = Lab::new();
    let (builder, runtime) = (lab.builder(broken()), lab.builder(broken()));
    let failed = validate(&lab, &[&builder, "-R", &runtime]);
    failed.assert_exit(1);
    failed.assert_says(&format!("builder image {builder} fails")).assert_says(&format!("runtime image {runtime} fails"));
    assert_eq!(failed.stdout.matches("  - ").count(), 5, "{failed}");
    lab.assert_nothing_left();
}

#[test]
fn an_entrypoint_is_a_warning() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(whole().script("entry", "print entered").config(r#"ENTRYPOINT ["/usr/bin/entry"]"#));
    let passed = validate(&lab, &[&builder]);
    passed.assert_success().assert_says(&format!("builder image {builder} passes")).assert_says("  - warning: ");
    passed.assert_says("/usr/bin/entry");
    lab.assert_nothing_left();
}

#[test]
fn an_image_by_assemble_is_judged_by_its_own_scripts() {
    needs_engine!();
    let lab = Lab::new();
    let bare = lab.builder(Builder::new().by_assemble().s2i("run", "print run"));
    let failed = validate(&lab, &[&bare, "-I", "--json"]);
    failed.assert_exit(1);
    let codes = vec!["assemble-missing".to_owned(), "save-artifacts-missing".to_owned()];
    assert_eq!(verdicts(&failed), [("builder".to_owned(), false, codes)]);
    let fit = Builder::new().by_assemble().s2i("assemble", "print done").s2i("run", "print run");
    let fit = lab.builder(fit.config(r#"ENTRYPOINT ["/usr/bin/entry"]"#));
    validate(&lab, &[&fit]).assert_success().assert_silent_about("warning");
    validate(&lab, &[&fit, "--contract", "prepare"]).assert_exit(1).assert_says("/usr/bin/prepare");
    lab.assert_nothing_left();
}

#[test]
fn an_image_that_is_nowhere_is_named_and_no_registry_is_asked_with_never() {
    needs_engine!();
    let lab = Lab::new();
    let absent = lab.tag("absent");
    let builder = lab.builder(saving());
    let cases =
        [(vec![absent.as_str()], "no-such-builder-image"), (vec![builder.as_str(), "-R", &absent], "no-such-runtime-image")];
    for (arguments, condition) in cases {
        let failed = validate(&lab, &[&arguments[..], &["--pull", "never", "--json", "--debug"]].concat());
        failed.assert_exit(5).assert_says(&absent).assert_silent_about("/images/create");
        let error: Value = serde_json::from_str(failed.stdout.lines().last().unwrap()).unwrap();
        assert_eq!(error["condition"], json!(condition), "{failed}");
    }
    lab.assert_nothing_left();
}

#[test]
fn the_other_image_is_judged_where_one_is_nowhere() {
    needs_engine!();
    let lab = Lab::new();
    let (absent, runtime) = (lab.tag("absent"), lab.builder(broken()));
    let failed = validate(&lab, &[&absent, "-R", &runtime, "--pull", "never", "--json"]);
    failed.assert_condition(5, "no-such-builder-image");
    let verdicts = verdicts(&failed);
    assert_eq!(verdicts[0], ("builder".to_owned(), false, vec!["no-such-builder-image".to_owned()]));
    assert!(verdicts[1].0 == "runtime" && !verdicts[1].1 && verdicts[1].2.len() > 1, "{failed}");
    let told = validate(&lab, &[&absent, "-R", &runtime, "--pull", "never"]);
    told.assert_exit(5).assert_says(&format!("builder image {absent} fails")).assert_says("the engine holds no");
    told.assert_says(&format!("runtime image {runtime} fails"));
    lab.assert_nothing_left();
}

#[test]
fn quiet_leaves_the_exit_code_alone() {
    needs_engine!();
    let lab = Lab::new();
    for (builder, code) in [(whole(), 0), (broken(), 1)] {
        let builder = lab.builder(builder);
        let outcome = validate(&lab, &[&builder, "-q"]);
        outcome.assert_exit(code);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    }
    lab.assert_nothing_left();
}
