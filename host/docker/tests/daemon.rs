//! What this engine does against a real daemon, with an image made of one static program. Without a daemon each test says that it is
//! skipped; with `CI=true` that is a failure.

mod daemon {
    pub mod bench;
}

use daemon::bench::{Bench, plan_of, run_of};
use sti_core::{
    Pull, Tree,
    plan::{Base, Content, ContentId, ImageChanges, Place, Placement, Plan, Step, StepId},
    progress::Silent,
};
use sti_engine::{Contents, Engine, Error, Execution, Exit};

/// Runs a test where a daemon answers.
fn check(name: &str, user: &str, test: impl AsyncFnOnce(&mut Bench)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(mut bench) = Bench::open(name, user).await else { return };
        test(&mut bench).await;
        bench.engine.clean_up().await.unwrap();
        bench.assert_nothing_left().await;
        bench.close().await;
    });
}

fn place(content: u32, at: &str, placement: Placement) -> Place {
    Place { content: ContentId(content), at: at.to_owned(), placement }
}

async fn execute(bench: &Bench, plan: Plan, source: Option<Tree>) -> Result<sti_engine::Outcome, Error> {
    let approved = bench.approve(plan);
    let contents = Contents { source };
    bench.engine.execute(Execution { plan: &approved, contents: &contents, keep_failed: false, progress: &bench.told }).await
}

#[test]
fn commits_what_a_script_made_and_nothing_that_was_mounted() {
    check("commit", "1001:1002", async |bench| {
        let source = tempfile::tempdir().unwrap();
        std::fs::create_dir(source.path().join("empty")).unwrap();
        std::fs::write(source.path().join("page.txt"), "hello").unwrap();
        let script =
            "cp -a /tmp/src/page.txt /srv/out/made && ls -ldn /tmp/src /tmp/src/page.txt /tmp/src/empty && touch /tmp/src/new";
        let mut run = run_of(&["/bin/busybox", "sh", "-c", script]);
        run.places = vec![place(0, "/tmp/src", Placement::Mounted)];
        run.commit =
            Some(ImageChanges { command: Some(vec!["/bin/busybox".to_owned(), "true".to_owned()]), ..ImageChanges::default() });
        let mut plan = plan_of(bench, run);
        plan.contents = vec![Content::Source];
        let before = bench.engine.requests();
        let outcome = execute(bench, plan, Some(bench.tree(source.path()))).await.unwrap();
        let image = outcome.images[&StepId(0)].clone();
        let tag = bench.tag();
        bench.engine.tag(&image, &tag).await.unwrap();
        assert_eq!(bench.engine.requests() - before, 7, "create, put, attach, start, wait, commit, tag");
        let lines = bench.told.lines();
        assert!(lines.iter().all(|line| line.contains("1001") && line.contains("1002")), "{lines:?}");
        assert_eq!(lines.len(), 3);
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!(facts.id, image);
        assert_eq!(facts.command, ["/bin/busybox", "true"]);
        assert_eq!(facts.entrypoint, bench.builder.entrypoint);
        assert_eq!(
            (facts.user, facts.environment, facts.labels),
            ("1001:1002".to_owned(), bench.builder.environment.clone(), bench.builder.labels.clone())
        );
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        let paths = ["/srv/out/made", "/tmp/src/page.txt", "/tmp/src/new", "/bin/sh"].map(str::to_owned);
        let found = bench.engine.look_at(&facts, &paths).await.unwrap();
        assert_eq!(found.iter().map(|fact| fact.path.as_str()).collect::<Vec<_>>(), ["/srv/out/made", "/bin/sh"]);
        assert_eq!(bench.engine.read(&facts, "/srv/out/made", 100).await.unwrap().as_deref(), Some(&b"hello"[..]));
        bench.remove_image_of(&tag).await;
    });
}

#[test]
fn hands_artifacts_over_in_a_volume() {
    check("capture", "1001:1002", async |bench| {
        let save = {
            let mut run = run_of(&["/bin/busybox", "sh", "-c", "echo saved > /tmp/artifacts/cache; mkdir /tmp/artifacts/empty"]);
            run.places = vec![place(0, "/tmp/artifacts", Placement::Mounted)];
            run
        };
        let use_it = {
            let mut run = run_of(&["/bin/busybox", "sh", "-c", "cat /tmp/old/cache; ls -n /tmp/old; rm -r /tmp/old/empty"]);
            run.places = vec![place(1, "/tmp/old", Placement::Mounted)];
            run
        };
        let mut plan = plan_of(bench, save);
        plan.contents = vec![Content::Empty, Content::Capture { step: StepId(0), path: "/tmp/artifacts".to_owned() }];
        plan.steps.push(Step {
            title: "use".to_owned(),
            base: plan.steps[0].base.clone(),
            action: sti_core::plan::Action::Run(use_it),
        });
        execute(bench, plan, None).await.unwrap();
        let lines = bench.told.lines();
        assert_eq!(lines[0], "saved", "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.contains("1001")).count(), 2, "{lines:?}");
    });
}

#[test]
fn tells_the_exit_code_and_the_last_lines_of_a_script_that_failed() {
    check("fails", "", async |bench| {
        let script = "for i in $(seq 30); do echo \"line $i\"; done; printf '\\033[31mlast' >&2; exit 7";
        let failure = execute(bench, plan_of(bench, run_of(&["/bin/busybox", "sh", "-c", script])), None).await.unwrap_err();
        let Error::StepFailed(failure) = failure else { panic!("{failure}") };
        assert_eq!(failure.exit, Exit::Code(7));
        assert_eq!(failure.last_lines.len(), 20);
        assert!(failure.last_lines.contains(&"last".to_owned()), "{:?}", failure.last_lines);
    });
}

#[test]
fn says_in_our_words_why_a_command_cannot_be_run() {
    check("unrunnable", "1001", async |bench| {
        for (command, why) in
            [("/nope", "does not exist"), ("/etc/passwd", "not executable"), ("/etc/odd", "format"), ("/srv", "directory")]
        {
            let failure = execute(bench, plan_of(bench, run_of(&[command])), None).await.unwrap_err();
            let Error::NotRunnable { why: said, .. } = &failure else { panic!("{command}: {failure:?}") };
            assert!(said.contains(why), "{command}: {said}");
        }
    });
}

#[test]
fn resolves_a_named_user_and_refuses_an_unknown_one() {
    check("named", "builder:staff", async |bench| {
        let identity = bench.engine.identity(&bench.builder).await.unwrap();
        assert_eq!((identity.uid, identity.gid, identity.home.as_deref()), (431, 50, Some("/home/builder")));
        let mut stranger = bench.builder.clone();
        stranger.user = "stranger".to_owned();
        let error = bench.engine.identity(&stranger).await.unwrap_err();
        assert!(error.to_string().contains("`stranger`"), "{error}");
    });
}

#[test]
fn removes_what_a_dropped_build_left_and_leaves_the_living_alone() {
    check("dropped", "", async |bench| {
        let plan = plan_of(bench, run_of(&["/bin/busybox", "sleep", "60"]));
        let cut = std::time::Duration::from_millis(1500);
        assert!(tokio::time::timeout(cut, execute(bench, plan, None)).await.is_err());
        let other = bench.another_engine().await;
        let leftovers = other.leftovers().await.unwrap();
        let ours = leftovers.iter().find(|left| left.build == *bench.engine.build()).expect("the build is seen by another");
        assert_eq!(ours.things, 1);
        bench.engine.clean_up().await.unwrap();
        assert!(!other.leftovers().await.unwrap().iter().any(|left| left.build == *bench.engine.build()));
    });
}

#[test]
fn sweeps_an_image_that_was_committed_and_never_tagged() {
    check("untagged", "", async |bench| {
        let mut run = run_of(&["/bin/busybox", "touch", "/srv/out/x"]);
        run.commit = Some(ImageChanges::default());
        let outcome = execute(bench, plan_of(bench, run), None).await.unwrap();
        let image = outcome.images[&StepId(0)].clone();
        let other = bench.another_engine().await;
        assert_eq!(other.sweep(bench.engine.build()).await.unwrap(), 2, "a container and an image");
        assert!(bench.inspect_id(&image).await.is_none());
    });
}

#[test]
fn gives_a_second_step_the_image_of_the_first() {
    check("chain", "", async |bench| {
        let mut first = run_of(&["/bin/busybox", "touch", "/srv/out/x"]);
        first.commit =
            Some(ImageChanges { environment: vec![sti_core::Variable::new("MADE", "yes")], ..ImageChanges::default() });
        let second = run_of(&["/bin/busybox", "sh", "-c", "ls /srv/out; echo $MADE"]);
        let mut plan = plan_of(bench, first);
        let base = Base::Step { step: StepId(0) };
        plan.steps.push(Step { title: "look".to_owned(), base, action: sti_core::plan::Action::Run(second) });
        execute(bench, plan, None).await.unwrap();
        assert_eq!(bench.told.lines(), ["x", "yes"]);
    });
}
