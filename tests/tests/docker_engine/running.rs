//! Containers: what they are given, what becomes of it, and what is said of those that fail.

use sti_core::{
    Pull, Variable,
    plan::{Action, Base, Content, ContentId, ImageChanges, Placement, Run, Step, StepId},
    progress::Silent,
};
use sti_engine::{Engine, Error, Exit};

use super::{
    bench::check,
    plans::{fixture, on_builder, place, plan_of, run_of, running},
};

#[test]
fn commits_what_a_script_made_and_nothing_that_was_mounted() {
    check("1001:1002", async |bench| {
        let words = "copy /tmp/src/page.txt /srv/out/made then list /tmp/src - then write /tmp/src/new x";
        let mut run = run_of(words, vec![place(0, "/tmp/src", Placement::Mounted)]);
        run.commit = Some(ImageChanges { command: Some(fixture("exit 0")), ..ImageChanges::default() });
        let plan = plan_of(vec![on_builder(bench, Action::Run(run))], vec![Content::Source]);
        let source = bench.source(&[("empty/", ""), ("page.txt", "hello")]);
        let before = bench.engine.requests();
        let outcome = bench.execute(plan, Some(source)).await.unwrap();
        let image = outcome.images[&StepId(0)].clone();
        let tag = bench.tag();
        bench.engine.tag(&image, &tag).await.unwrap();
        assert_eq!(bench.engine.requests() - before, 7, "create, put, attach, start, wait, commit, tag");
        let lines = bench.told.lines();
        assert!(lines.iter().all(|line| line.contains(" 1001:1002 ")), "{lines:?}");
        let names: Vec<_> = lines.iter().filter_map(|line| line.split(' ').next_back()).collect();
        assert_eq!(names, [".", "empty", "page.txt"]);
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!(facts.id, image);
        assert_eq!(facts.command, fixture("exit 0"));
        assert_eq!(facts.entrypoint, bench.builder.entrypoint);
        assert_eq!(
            (facts.user, facts.environment, facts.labels),
            ("1001:1002".to_owned(), bench.builder.environment.clone(), bench.builder.labels.clone())
        );
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        let paths = ["/srv/out/made", "/tmp/src/page.txt", "/tmp/src/new", "/usr/bin/linked"].map(str::to_owned);
        let found = bench.engine.look_at(&facts, &paths).await.unwrap();
        assert_eq!(found.iter().map(|fact| fact.path.as_str()).collect::<Vec<_>>(), ["/srv/out/made", "/usr/bin/linked"]);
        assert_eq!(bench.engine.read(&facts, "/srv/out/made", 100).await.unwrap().as_deref(), Some(&b"hello"[..]));
    });
}

#[test]
fn hands_artifacts_over_in_a_volume() {
    check("1001:1002", async |bench| {
        let words = "write /tmp/artifacts/cache saved\n then mkdir /tmp/artifacts/empty";
        let save = run_of(words, vec![place(0, "/tmp/artifacts", Placement::Mounted)]);
        let words = "cat /tmp/old/cache then list /tmp/old - then remove /tmp/old/empty";
        let use_it = run_of(words, vec![place(1, "/tmp/old", Placement::Mounted)]);
        let steps = vec![on_builder(bench, Action::Run(save)), on_builder(bench, Action::Run(use_it))];
        let capture = Content::Capture { step: StepId(0), path: "/tmp/artifacts".to_owned() };
        bench.execute(plan_of(steps, vec![Content::Empty, capture]), None).await.unwrap();
        let lines = bench.told.lines();
        assert_eq!(lines[0], "saved", "{lines:?}");
        assert_eq!(lines[2..], ["f 0644 1001:1002 6 cache", "d 0755 1001:1002 - empty"], "{lines:?}");
    });
}

#[test]
fn tells_the_exit_code_and_the_last_lines_of_a_script_that_failed() {
    check("", async |bench| {
        let lines = (1..=30).map(|number| format!("print line-{number}")).collect::<Vec<_>>().join(" then ");
        // No verb that prints to standard error ends in the middle of a line.
        let words = format!("{lines} then write /dev/stderr \u{1b}[31mlast then exit 7");
        let failure = bench.execute(plan_of(vec![running(bench, &words)], Vec::new()), None).await.unwrap_err();
        let Error::StepFailed(failure) = failure else { panic!("{failure}") };
        assert_eq!(failure.exit, Exit::Code(7));
        assert_eq!(failure.last_lines.len(), 20);
        assert!(failure.last_lines.contains(&"last".to_owned()), "{:?}", failure.last_lines);
    });
}

#[test]
fn says_in_our_words_why_a_command_cannot_be_run() {
    check("1001", async |bench| {
        for (command, why) in
            [("/nope", "does not exist"), ("/etc/passwd", "not executable"), ("/etc/odd", "format"), ("/srv", "directory")]
        {
            let run = Run { command: vec![command.to_owned()], ..run_of("", Vec::new()) };
            let plan = plan_of(vec![on_builder(bench, Action::Run(run))], Vec::new());
            let failure = bench.execute(plan, None).await.unwrap_err();
            let Error::NotRunnable { why: said, .. } = &failure else { panic!("{command}: {failure:?}") };
            assert!(said.contains(why), "{command}: {said}");
        }
    });
}

#[test]
fn gives_a_second_step_the_image_of_the_first() {
    check("", async |bench| {
        let mut first = run_of("write /srv/out/x 1", Vec::new());
        first.commit = Some(ImageChanges { environment: vec![Variable::new("MADE", "yes")], ..ImageChanges::default() });
        let second = Action::Run(run_of("list /srv/out/x - then env MADE -", Vec::new()));
        let look = Step { title: "look".to_owned(), base: Base::Step { step: StepId(0) }, action: second };
        bench.execute(plan_of(vec![on_builder(bench, Action::Run(first)), look], Vec::new()), None).await.unwrap();
        assert_eq!(bench.told.lines(), ["f 0644 0:0 1 .", "yes"]);
    });
}

#[test]
fn unpacks_output_and_hands_parts_of_captures_on() {
    check("1001", async |bench| {
        let save = running(bench, "write /srv/out/d/e/f deep\n then tar /srv/out");
        let words = "cat /tmp/all/d/e/f then cat /tmp/part/f then cat /tmp/file then list /tmp/file -";
        let places = vec![
            place(0, "/tmp/all", Placement::Mounted),
            place(1, "/tmp/part", Placement::Mounted),
            place(2, "/tmp/file", Placement::Copied),
        ];
        let use_it = on_builder(bench, Action::Run(run_of(words, places)));
        let contents = vec![
            Content::Output { step: StepId(0) },
            Content::Part { of: ContentId(0), path: "d/e".to_owned() },
            Content::Part { of: ContentId(1), path: "f".to_owned() },
        ];
        bench.execute(plan_of(vec![save, use_it], contents), None).await.unwrap();
        assert_eq!(bench.told.lines(), ["deep", "deep", "deep", "f 0644 1001:0 5 ."]);
    });
}

#[test]
fn refuses_output_that_is_no_tar_and_says_so() {
    check("", async |bench| {
        let use_it = run_of("exit 0", vec![place(0, "/tmp/all", Placement::Mounted)]);
        let steps = vec![running(bench, "flood 14000"), on_builder(bench, Action::Run(use_it))];
        let failure = bench.execute(plan_of(steps, vec![Content::Output { step: StepId(0) }]), None).await.unwrap_err();
        assert!(failure.to_string().contains("no tar"), "{failure}");
    });
}
