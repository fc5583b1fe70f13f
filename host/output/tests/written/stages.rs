//! Dockerfiles.

use sti_core::{
    Plan, Reference, Variable,
    plan::{
        Action, Assemble, Base, Content, ContentId, Copied, ImageChanges, Instruction, Layer, Network, OnFailure, Product, Run,
        Step, StepId,
    },
};
use sti_output::{Error, Rendered, render};

use crate::plans::{build, capture, command, container, copy, environment, image, known, places, plan, run, runs, script, words};

fn written(plan: &Plan) -> Rendered {
    render(plan, &known(plan), "Dockerfile", "Dockerfile.context").unwrap()
}

/// Why a plan is refused.
fn refusal(plan: &Plan) -> String {
    let error = render(plan, &known(plan), "Dockerfile", "Dockerfile.context").unwrap_err();
    assert!(matches!(error, Error::Unsayable { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_clean_build_by_prepare_is_one_stage() {
    let instructions = vec![copy(0, "/tmp/src", None), environment("A", "1"), runs("/usr/bin/prepare")];
    let plan = plan(vec![Content::Source], vec![build(image("registry.example.com/builders/python:3", "1001"), instructions)]);
    let rendered = written(&plan);
    insta::assert_snapshot!(rendered.text);
    assert_eq!((rendered.flags, rendered.notes), (Vec::<String>::new(), Vec::<String>::new()));
}

#[test]
fn scripts_of_the_source_and_a_user_of_the_scripts() {
    let instructions = vec![
        copy(0, "/opt/in/src", Some("2002:8")),
        copy(1, "/opt/in/scripts", Some("2002:8")),
        environment("A", "say \"hi\" to $USER \\"),
        Instruction::User { user: "2002:8".to_owned() },
        runs("/opt/in/scripts/assemble"),
        Instruction::User { user: "1001".to_owned() },
    ];
    let contents = vec![Content::Source, script("assemble")];
    insta::assert_snapshot!(written(&plan(contents, vec![build(image("builder", "1001"), instructions)])).text);
}

#[test]
fn a_container_that_is_committed_mounts_what_it_is_given() {
    let variable = Variable::new("A", "1");
    let changes = ImageChanges { environment: vec![variable.clone(), Variable::new("B", "2")], ..command("/usr/bin/run") };
    let given = Run {
        environment: vec![variable],
        places: places(&[(0, "/tmp/src"), (1, "/tmp/artifacts")], &[]),
        commit: Some(changes),
        ..container()
    };
    let rendered =
        written(&plan(vec![Content::Source, Content::Empty], vec![run(image("builder", "1001"), "/usr/bin/prepare", given)]));
    insta::assert_snapshot!(rendered.text);
}

#[test]
fn a_directory_of_which_nothing_is_committed_is_mounted_as_the_image_has_it() {
    let given = Run {
        user: Some("2002".to_owned()),
        transient: words(&["/tmp"]),
        places: places(&[(0, "/tmp/src"), (1, "/tmp/scripts")], &[(1, "/opt/kept")]),
        labels_from: Some("/tmp/.s2i/image_metadata.json".to_owned()),
        commit: Some(command("/tmp/scripts/run")),
        ..container()
    };
    let rendered =
        written(&plan(vec![Content::Source, script("run")], vec![run(image("builder", "app"), "/s2i/assemble", given)]));
    insta::assert_snapshot!(rendered.text);
    assert!(rendered.notes[0].contains("image_metadata.json"), "{:?}", rendered.notes);
}

#[test]
fn an_extended_build_by_prepare_copies_the_result_of_the_builder() {
    let building = Run {
        places: places(&[(0, "/tmp/src"), (1, "/tmp/artifacts"), (1, "/tmp/build")], &[]),
        commit: Some(ImageChanges::default()),
        ..container()
    };
    let deploying = vec![copy(2, "/tmp/src", None), runs("/usr/bin/prepare")];
    let contents = vec![Content::Source, Content::Empty, capture(0, "/tmp/build")];
    let mut plan =
        plan(contents, vec![run(image("builder", "1001"), "/usr/bin/prepare", building), build(image("runtime", ""), deploying)]);
    let kept = Product { name: "build".to_owned(), tag: Reference::parse("app-build").unwrap(), step: StepId(0) };
    plan.products.push(kept);
    let rendered = written(&plan);
    insta::assert_snapshot!(rendered.text);
    assert_eq!(rendered.notes, ["`app-build` is not made: a Dockerfile makes one image"]);
}

#[test]
fn an_extended_build_by_assemble_copies_what_was_left() {
    let assembling = Run {
        environment: vec![Variable::new("A", "1")],
        transient: words(&["/tmp"]),
        places: places(&[(0, "/tmp/src")], &[]),
        ..container()
    };
    let deploying = Run {
        user: Some("2002".to_owned()),
        places: places(&[], &[(2, "/app/web/out")]),
        commit: Some(command("/s2i/run")),
        ..container()
    };
    let part = Content::Part { of: ContentId(1), path: "out".to_owned() };
    let plan = plan(
        vec![Content::Source, capture(0, "/app"), part],
        vec![
            run(image("builder", "1001"), "/s2i/assemble", assembling),
            run(image("runtime", "1001"), "/s2i/assemble-runtime", deploying),
        ],
    );
    insta::assert_snapshot!(written(&plan).text);
}

#[test]
fn a_secret_is_mounted_and_must_be_there() {
    let given = Run {
        places: places(&[(0, "/run/secrets/token")], &[]),
        network: Network::None,
        commit: Some(command("/usr/bin/run")),
        ..container()
    };
    let secret = Content::Secret { name: "token".to_owned() };
    let rendered = written(&plan(vec![secret], vec![run(image("builder", "1001"), "/usr/bin/prepare", given)]));
    insta::assert_snapshot!(rendered.text);
    assert_eq!(rendered.flags, ["--network none", "--secret id=token,src=FILE"]);
}

#[test]
fn steps_that_the_product_does_not_need_are_left_out() {
    let aside = run(image("other", ""), "/aside", Run { commit: Some(command("/aside")), ..container() });
    let text = written(&plan(Vec::new(), vec![aside, build(image("builder", ""), vec![runs("/x")])])).text;
    assert!(!text.contains("other") && text.contains("FROM builder AS step-2\n"), "{text}");
}

#[test]
fn a_step_may_begin_with_what_another_one_made() {
    let entrypoint = ImageChanges { entrypoint: Some(words(&["/init"])), user: Some("5".to_owned()), ..ImageChanges::default() };
    let first = run(image("builder", "1001"), "/usr/bin/prepare", Run { commit: Some(entrypoint.clone()), ..container() });
    let layer = Layer { title: "x".to_owned(), copied: Copied { content: ContentId(0), at: "/srv".to_owned(), owner: None } };
    let again = ImageChanges { user: None, ..entrypoint };
    let second = Step {
        title: "two\nlines \\".to_owned(),
        base: Base::Step { step: StepId(0) },
        action: Action::Assemble(Assemble { layers: vec![layer], changes: again }),
    };
    insta::assert_snapshot!(
        written(&plan(vec![Content::ImageFiles { step: StepId(0), path: "/etc".to_owned() }], vec![first, second])).text
    );
}

#[test]
fn an_image_whose_name_means_a_stage_is_named_in_full() {
    let text = written(&plan(Vec::new(), vec![build(image("step-1", ""), vec![runs("/x")])])).text;
    assert!(text.contains("FROM docker.io/library/step-1:latest AS step-1\n"), "{text}");
}

#[test]
fn what_no_dockerfile_can_say_is_refused() {
    let committed = |given: Run| run(image("builder", ""), "/x", Run { commit: Some(command("/y")), ..given });
    let one =
        |content: Content, at: &str| plan(vec![content], vec![committed(Run { places: places(&[(0, at)], &[]), ..container() })]);
    let after = |given: Run, content: Content| {
        plan(vec![content], vec![committed(given), build(Base::Step { step: StepId(0) }, vec![copy(0, "/z", None)])])
    };
    let variable = Run { environment: vec![Variable::new("ONCE", "1")], ..container() };
    let tolerant = Run { on_failure: OnFailure::GoOn, ..container() };
    let transient = Run { transient: words(&["/tmp"]), ..container() };
    let lines = build(image("builder", ""), vec![environment("A", "1\nRUN evil")]);
    let elsewhere = Run { working_directory: Some("/w".to_owned()), ..container() };
    let other = Run { network: Network::None, ..container() };
    let networks = plan(
        vec![capture(0, "/a")],
        vec![run(image("a", ""), "/x", other), build(image("b", ""), vec![copy(0, "/a", None), runs("/x")])],
    );
    let cases = [
        (one(Content::Cache { name: "wheels".to_owned() }, "/cache"), "the cache `wheels`"),
        (one(Content::Source, "/tmp/a,readonly"), "cannot be mounted there"),
        (one(Content::Source, "/tmp/$HOME"), "cannot be mounted there"),
        (after(transient, capture(0, "/tmp/late")), "`/tmp/late` is to be handed on"),
        (after(container(), Content::Output { step: StepId(0) }), "what another one prints"),
        (after(container(), capture(0, "/a*")), "holds what none can say"),
        (plan(Vec::new(), vec![committed(variable)]), "the variable `ONCE`"),
        (plan(Vec::new(), vec![committed(tolerant)]), "it may fail"),
        (plan(Vec::new(), vec![committed(elsewhere)]), "in another directory"),
        (plan(Vec::new(), vec![lines]), "`A` holds what none can say"),
        (networks, "the same network"),
        (
            plan(vec![Content::Secret { name: "token".to_owned() }], vec![build(image("b", ""), vec![copy(0, "/t", None)])]),
            "the secret `token`",
        ),
    ];
    for (plan, why) in cases {
        let said = refusal(&plan);
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn an_image_that_brings_instructions_along_is_refused() {
    let plan = plan(Vec::new(), vec![build(image("builder", ""), vec![runs("/x")])]);
    let mut known = known(&plan);
    known.images.values_mut().for_each(|facts| facts.triggers = words(&["RUN evil"]));
    let error = render(&plan, &known, "Dockerfile", "Dockerfile.context").unwrap_err();
    assert!(error.to_string().contains("ONBUILD instructions, such as `RUN evil`"), "{error}");
}
