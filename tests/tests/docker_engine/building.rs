//! Images made by instructions and by layers, with the daemon's own builder.

use sti_core::{
    Pull, Variable,
    plan::{Action, Assemble, Base, Build, Content, ImageChanges, Instruction, Layer, Network, PlanFile, Step, StepId},
    progress::Silent,
};
use sti_engine::{Engine, Error, Exit};

use super::{
    bench::check,
    plans::{build_of, committing, copied, fixture, on_builder, plan_of},
};

#[test]
fn carries_out_instructions_with_the_engines_own_builder() {
    check("1001:1002", async |bench| {
        let words = "list /tmp/src/page.txt - then env GREETING - then print . then eprint oops \
                     then copy /tmp/src/page.txt /srv/out/made";
        let build = Build {
            triggers: None,
            instructions: vec![
                Instruction::Copy(copied(0, "/tmp/src", None)),
                Instruction::Environment(Variable::new("GREETING", "say \"hi\" to $USER")),
                Instruction::Run { command: fixture(words) },
            ],
            network: Network::None,
            changes: ImageChanges { command: Some(vec!["/bin/run".to_owned()]), ..ImageChanges::default() },
        };
        let plan = plan_of(vec![on_builder(bench, Action::Build(build))], vec![Content::Source]);
        let outcome = bench.execute(plan, Some(bench.source(&[("page.txt", "hello")]))).await.unwrap();
        let lines = bench.told.lines();
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        assert!(has(" 1001:1002 5 .") && has("say \"hi\" to $USER") && has("oops"), "{lines:?}");
        let tag = bench.tag();
        bench.engine.tag(&outcome.images[&StepId(0)], &tag).await.unwrap();
        let mut facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!(facts.command, ["/bin/run"]);
        // Podman's builder signs what it builds.
        facts.labels.retain(|label| label.name != "io.buildah.version");
        assert_eq!(
            (&facts.entrypoint, &facts.labels, &facts.user),
            (&bench.builder.entrypoint, &bench.builder.labels, &bench.builder.user)
        );
        assert_eq!(bench.engine.read(&facts, "/srv/out/made", 10).await.unwrap().as_deref(), Some(&b"hello"[..]));
    });
}

#[test]
fn leaves_nothing_of_instructions_that_failed() {
    check("", async |bench| {
        let before = bench.image_ids();
        let build = build_of(&["write /srv/out/a 1", "print one then eprint two then exit 7"]);
        let failure = bench.execute(plan_of(vec![on_builder(bench, build)], Vec::new()), None).await.unwrap_err();
        let Error::StepFailed(failure) = failure else { panic!("{failure}") };
        assert_eq!(failure.exit, Exit::Code(7));
        let mut last_lines = failure.last_lines;
        last_lines.sort();
        assert_eq!(last_lines, ["one", "two"]);
        bench.engine.clean_up().await.unwrap();
        assert_eq!(bench.image_ids(), before);
    });
}

#[test]
fn a_script_that_speaks_like_the_builder_costs_nobody_an_image() {
    check("", async |bench| {
        let other = bench.another_engine().await;
        let plan = plan_of(vec![committing(bench, "write /srv/out/x 1")], Vec::new());
        let decoy = bench.execute_with(&other, plan, None).await.unwrap().images[&StepId(0)].clone();
        let bare = decoy.as_str().trim_start_matches("sha256:").to_owned();
        // The first instruction is the base and the second the mark, so these are the next numbers.
        let says = [
            "Step 4/4 : CMD x".to_owned(),
            format!(" ---> {bare}"),
            format!(" ---> {decoy}"),
            "STEP 4/4: CMD x".to_owned(),
            format!("--> {bare}"),
        ];
        let mut command = vec!["/usr/bin/fixture".to_owned()];
        command.extend(says.into_iter().flat_map(|line| ["print".to_owned(), line, "then".to_owned()]));
        command.extend(["exit", "7"].map(str::to_owned));
        let changes = ImageChanges::default();
        let build = Build { triggers: None, instructions: vec![Instruction::Run { command }], network: Network::None, changes };
        let plan = plan_of(vec![on_builder(bench, Action::Build(build))], Vec::new());
        assert!(bench.execute(plan, None).await.is_err());
        bench.engine.clean_up().await.unwrap();
        assert!(bench.holds(&decoy) && bench.image_ids().is_empty());
        other.clean_up().await.unwrap();
    });
}

#[test]
fn assembles_an_image_of_nothing_but_content() {
    check("", async |bench| {
        let file = PlanFile { path: "bin/tool".to_owned(), mode: 0o755, bytes: b"#!".to_vec() };
        let layer = Layer { title: "tool".to_owned(), copied: copied(0, "/opt", Some("7:8")) };
        let (entrypoint, user) = (Some(vec!["/opt/bin/tool".to_owned()]), Some("7:8".to_owned()));
        let changes = ImageChanges { entrypoint, user, ..ImageChanges::default() };
        let action = Action::Assemble(Assemble { layers: vec![layer], changes });
        let step = Step { title: "assemble".to_owned(), base: Base::Scratch, action };
        let outcome = bench.execute(plan_of(vec![step], vec![Content::Files { files: vec![file] }]), None).await.unwrap();
        let tag = bench.tag();
        bench.engine.tag(&outcome.images[&StepId(0)], &tag).await.unwrap();
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!((facts.entrypoint.clone(), facts.command.clone()), (vec!["/opt/bin/tool".to_owned()], Vec::new()));
        let found = bench.engine.look_at(&facts, &["/opt/bin/tool".to_owned()]).await.unwrap();
        assert_eq!((found[0].mode, found[0].uid, found[0].gid), (0o755, 7, 8));
    });
}
