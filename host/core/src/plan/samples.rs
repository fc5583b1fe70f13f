//! Plans for tests: one with everything that a plan can say, and a real one.

use super::{
    APP, Action, Assemble, Author, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Layer, Network, OnFailure,
    Place, Placement, Plan, PlanFile, Product, Run, Step, StepId, Triggers,
};
use crate::{ImageId, Reference, Variable};

/// A plan that uses every variant of every type, and every field.
pub(crate) fn of_everything() -> Plan {
    let mut plan = Plan::empty(author());
    plan.contents = every_content();
    plan.steps = vec![full_run(), full_build(), full_assembly(), bare_run()];
    plan.products = vec![product(APP, "app:1", 1), product("static", "app:1-static", 2)];
    plan
}

/// An extended incremental build, as the strategy `commit` plans it.
pub(crate) fn extended() -> Plan {
    let mut plan = Plan::empty(author());
    let capture = |step: u32, path: &str| Content::Capture { step: StepId(step), path: path.to_owned() };
    plan.contents = vec![Content::Source, capture(0, "/tmp/artifacts"), Content::Empty, capture(1, "/tmp/build")];
    let mut save = run("Saving artifacts", image("app:1-build"), "/usr/bin/save-artifacts", &[(2, "/tmp/artifacts")]);
    if let Action::Run(save) = &mut save.action {
        save.commit = None;
    }
    let builder = [(0, "/tmp/src"), (1, "/tmp/artifacts"), (2, "/tmp/build")];
    plan.steps = vec![
        save,
        run("Preparing in the builder image", image("builder"), "/usr/bin/prepare", &builder),
        run("Preparing in the runtime image", image("runtime"), "/usr/bin/prepare", &[(3, "/tmp/src")]),
    ];
    plan.products = vec![product("build", "app:1-build", 1), product(APP, "app:1", 2)];
    plan
}

fn author() -> Author {
    Author { plugin: "commit".to_owned(), digest: format!("sha256:{}", "ab".repeat(32)) }
}

fn image(name: &str) -> Base {
    Base::Image { reference: reference(name), id: ImageId(format!("sha256:{}", "0123".repeat(16))), user: "1001".to_owned() }
}

fn reference(name: &str) -> Reference {
    Reference::parse(name).expect("samples name real images")
}

fn product(name: &str, tag: &str, step: u32) -> Product {
    Product { name: name.to_owned(), tag: reference(tag), step: StepId(step) }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn run(title: &str, base: Base, program: &str, places: &[(u32, &str)]) -> Step {
    let place =
        |(content, at): &(u32, &str)| Place { content: ContentId(*content), at: (*at).to_owned(), placement: Placement::Mounted };
    let run = Run {
        environment: vec![Variable::new("GREETING", "hello world")],
        places: places.iter().map(place).collect(),
        commit: Some(ImageChanges { command: Some(words(&["/usr/bin/run"])), ..ImageChanges::default() }),
        ..Run::new(words(&[program]), Network::Outgoing)
    };
    Step { title: title.to_owned(), base, action: Action::Run(run) }
}

fn every_content() -> Vec<Content> {
    let file = |path: &str, bytes: &[u8]| PlanFile { path: path.to_owned(), mode: 0o644, bytes: bytes.to_vec() };
    vec![
        Content::Source,
        Content::Empty,
        Content::Files { files: vec![file("a.txt", b"words"), file("b.bin", &[0xff, 0])] },
        Content::Capture { step: StepId(0), path: "/tmp/build".to_owned() },
        Content::Output { step: StepId(0) },
        Content::ImageFiles { step: StepId(1), path: "/srv".to_owned() },
        Content::Cache { name: "wheels".to_owned() },
        Content::Secret { name: "token".to_owned() },
        Content::Part { of: ContentId(3), path: "out/site".to_owned() },
        Content::Matching { of: ContentId(8), glob: "*.{jar,war}".to_owned() },
    ]
}

fn full_changes() -> ImageChanges {
    ImageChanges {
        entrypoint: Some(Vec::new()),
        command: Some(words(&["/usr/bin/run", "with a space"])),
        environment: vec![Variable::new("PORT", "8080")],
        labels: vec![Variable::new("org.opencontainers.image.source", "https://example.com/app")],
        user: Some("1001:0".to_owned()),
        working_directory: Some("/srv".to_owned()),
        expose: words(&["8080/tcp"]),
    }
}

fn full_run() -> Step {
    let places = [(0, "/tmp/src"), (2, "/etc/app"), (6, "/cache"), (7, "/run/secrets/token")];
    let mut step = run("Preparing", image("registry.example.com/builders/python:3"), "/usr/bin/prepare", &places);
    if let Action::Run(run) = &mut step.action {
        run.user = Some("1001".to_owned());
        run.working_directory = Some("/tmp/src".to_owned());
        run.places[1].placement = Placement::Copied;
        run.transient = words(&["/tmp"]);
        run.labels_from = Some("/tmp/labels.json".to_owned());
        run.on_failure = OnFailure::GoOn;
        run.commit = Some(full_changes());
    }
    step
}

fn full_build() -> Step {
    let copied = Copied { content: ContentId(8), at: "/srv".to_owned(), owner: Some("1001:0".to_owned()) };
    let instructions = vec![
        Instruction::Environment(Variable::new("A", "1")),
        Instruction::WorkingDirectory { path: "/srv".to_owned() },
        Instruction::Copy(copied),
        Instruction::User { user: "1001".to_owned() },
        Instruction::Run { command: words(&["/usr/bin/prepare", "--all"]) },
    ];
    let triggers = Some(Triggers { context: ContentId(0), instructions: vec!["COPY . /app".to_owned(), "USER 1001".to_owned()] });
    let build = Build { triggers, instructions, network: Network::None, changes: full_changes() };
    Step { title: "Building".to_owned(), base: Base::Step { step: StepId(0) }, action: Action::Build(build) }
}

fn full_assembly() -> Step {
    let layer = |content: u32, owner: Option<&str>| Layer {
        title: "the site".to_owned(),
        copied: Copied { content: ContentId(content), at: "/srv".to_owned(), owner: owner.map(str::to_owned) },
    };
    let assemble = Assemble { layers: vec![layer(5, Some("1001")), layer(4, None)], changes: full_changes() };
    Step { title: "Putting the image together".to_owned(), base: Base::Scratch, action: Action::Assemble(assemble) }
}

fn bare_run() -> Step {
    let mut step = run("Looking", Base::Step { step: StepId(2) }, "/usr/bin/look", &[]);
    if let Action::Run(run) = &mut step.action {
        run.environment.clear();
        run.commit = None;
    }
    step
}
