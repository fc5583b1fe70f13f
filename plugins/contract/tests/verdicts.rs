//! What `contract` finds in images, and what it passes.

use sti_contract::Contract;
use sti_plugin::{
    PathKind, Severity,
    testing::{FakeImage, MemoryTree, SubjectBuilder},
};

fn image() -> FakeImage {
    FakeImage::new("builder:1").executable("/usr/bin/prepare").executable("/usr/bin/run")
}

fn check_finds(subject: &SubjectBuilder, codes: &[&str]) {
    let verdict = subject.validate::<Contract>();
    assert_eq!(verdict.result, Ok(()));
    assert_eq!(verdict.codes(), codes);
    for finding in &verdict.findings {
        assert!(finding.message.contains("`builder:1`"), "{} names no image", finding.message);
        assert!(finding.hint.is_some(), "{} leaves the reader alone", finding.message);
    }
}

#[test]
fn passes_an_image_with_fit_scripts() {
    check_finds(&SubjectBuilder::image("builder", image()), &[]);
    check_finds(&SubjectBuilder::image("runtime", image()), &[]);
    check_finds(&SubjectBuilder::image("builder", image().executable("/usr/bin/save-artifacts")).incremental(), &[]);
}

#[test]
fn tells_everything_that_is_wrong_and_not_just_the_first() {
    let bad = FakeImage::new("builder:1").user("9").file("/usr/bin/run", 0o700, 7, 7).entrypoint(&["/entry"]);
    let subject = SubjectBuilder::image("builder", bad).incremental();
    check_finds(&subject, &["prepare-missing", "run-not-executable", "save-artifacts-missing", "entrypoint-swallows-command"]);
}

#[test]
fn asks_for_save_artifacts_of_a_builder_in_an_incremental_build_only() {
    check_finds(&SubjectBuilder::image("builder", image()).incremental(), &["save-artifacts-missing"]);
    check_finds(&SubjectBuilder::image("runtime", image()).incremental(), &[]);
    check_finds(&SubjectBuilder::image("builder", image()).extended(), &["save-artifacts-missing"]);
    check_finds(&SubjectBuilder::image("runtime", image()).extended(), &[]);
}

#[test]
fn asks_each_half_of_an_extended_build_by_assemble_for_its_own_script() {
    let bare = || FakeImage::new("builder:1").label("io.openshift.s2i.scripts-url", "image:///usr/libexec/s2i");
    check_finds(&SubjectBuilder::image("builder", bare()).extended(), &["assemble-missing"]);
    check_finds(&SubjectBuilder::image("runtime", bare()).extended(), &["run-missing"]);
    // Of an image that says nothing, the builder's contract decides, which the strategy knows.
    let plain = || SubjectBuilder::image("runtime", FakeImage::new("builder:1")).extended();
    check_finds(&plain(), &["prepare-missing", "run-missing"]);
    check_finds(&plain().with_source(MemoryTree::new()), &[]);
    check_finds(&plain().with_source(MemoryTree::new()).contract("prepare"), &["prepare-missing", "run-missing"]);
}

#[test]
fn judges_permission_bits_as_the_images_user() {
    let cases = [
        ("", 0o100, 7, 7, true),
        ("7", 0o100, 7, 8, true),
        ("7", 0o011, 7, 8, false),
        ("9:8", 0o010, 7, 8, true),
        ("9:8", 0o101, 7, 8, false),
        ("9:9", 0o001, 7, 8, true),
        ("9:9", 0o110, 7, 8, false),
        ("app", 0o100, 431, 8, true),
        ("9", 0o644, 7, 8, false),
        // An engine that does not tell owners is believed: a wrong refusal would be worse than a late one.
        ("9", 0o700, 0, 0, true),
    ];
    for (user, mode, uid, gid, may) in cases {
        let image = image().user(user).named_user("app", 431, 431).file("/usr/bin/prepare", mode, uid, gid);
        let verdict = SubjectBuilder::image("builder", image).validate::<Contract>();
        assert_eq!(verdict.passes(), may, "user `{user}` and {mode:o} of {uid}:{gid}: {:?}", verdict.findings);
    }
}

#[test]
fn finds_scripts_that_are_no_files() {
    check_finds(&SubjectBuilder::image("builder", image().other("/usr/bin/run", PathKind::Directory)), &["run-not-a-file"]);
    check_finds(&SubjectBuilder::image("builder", image().other("/usr/bin/prepare", PathKind::Symlink)), &["prepare-not-a-file"]);
}

#[test]
fn lets_a_build_with_an_entrypoint_go_on_with_a_warning() {
    let verdict = SubjectBuilder::image("builder", image().entrypoint(&["/bin/tini", "--"])).validate::<Contract>();
    assert!(verdict.passes());
    assert_eq!(verdict.findings[0].severity, Severity::Warning);
    assert!(verdict.findings[0].message.contains("`/bin/tini --`"));
}

#[test]
fn warns_of_instructions_that_a_build_by_the_contract_leaves_out() {
    let subject = SubjectBuilder::image("builder", image().triggers(&["RUN make"]));
    check_finds(&subject, &["triggers-unasked"]);
    assert!(subject.validate::<Contract>().passes());
}

#[test]
fn leaves_an_image_that_its_instructions_alone_build_to_the_strategy() {
    let bare = || FakeImage::new("builder:1").triggers(&["COPY . /app"]);
    let in_a_build = |image| SubjectBuilder::image("builder", image).with_source(MemoryTree::new());
    check_finds(&in_a_build(bare()), &[]);
    check_finds(&in_a_build(FakeImage::new("builder:1")), &["prepare-missing", "run-missing"]);
    check_finds(&in_a_build(bare()).contract("prepare"), &["prepare-missing", "run-missing", "triggers-unasked"]);
    check_finds(&SubjectBuilder::image("builder", bare()), &["prepare-missing", "run-missing", "triggers-unasked"]);
}

#[test]
fn judges_by_the_contract_that_labels_variables_and_files_speak_for() {
    let bare = ["assemble-missing", "run-missing"];
    let labelled = image().label("io.openshift.s2i.scripts-url", "image:///usr/libexec/s2i");
    check_finds(&SubjectBuilder::image("builder", labelled.clone()), &bare);
    let by_variable = image().environment("STI_SCRIPTS_URL", "image:///usr/local/s2i");
    check_finds(&SubjectBuilder::image("builder", by_variable.clone()), &bare);
    let fit = by_variable.executable("/usr/local/s2i/assemble").executable("/usr/local/s2i/run");
    check_finds(&SubjectBuilder::image("builder", fit.clone().entrypoint(&["/usr/bin/enable"])), &[]);
    check_finds(&SubjectBuilder::image("builder", fit).incremental(), &["save-artifacts-missing"]);
    let by_files = FakeImage::new("builder:1").executable("/usr/libexec/s2i/assemble");
    check_finds(&SubjectBuilder::image("builder", by_files), &["run-missing"]);
    check_finds(&SubjectBuilder::image("builder", image()).contract("assemble"), &bare);
    let elsewhere = image().label("io.s2i.scripts-url", "https://example.com/scripts");
    check_finds(&SubjectBuilder::image("builder", elsewhere), &["scripts-elsewhere"]);

    check_finds(&SubjectBuilder::image("builder", labelled).contract("prepare"), &[]);
    check_finds(&SubjectBuilder::image("builder", image().executable("/usr/libexec/s2i/assemble")), &[]);
}

#[test]
fn has_nothing_to_say_of_a_source() {
    check_finds(&SubjectBuilder::source(MemoryTree::new()), &[]);
}
