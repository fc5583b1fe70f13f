//! A build to be judged: `sti build . builder app:1 -R runtime`, and an honest plan for it.

use sti_core::plan::*;
use sti_core::{ImageId, Plan, Reference, Variable};
use sti_policy::{Denial, Named, Origin, PluginIdentity};

pub(crate) fn reference(name: &str) -> Reference {
    Reference::parse(name).expect("tests name real images")
}

pub(crate) fn plugin() -> PluginIdentity {
    PluginIdentity { name: "commit".to_owned(), digest: format!("sha256:{}", "ab".repeat(32)), origin: Origin::Shipped }
}

/// What the user named.
pub(crate) fn named() -> Named {
    Named {
        images: vec![reference("builder"), reference("rooted"), reference("registry.corp/builders/python:3")],
        tag: reference("app:1"),
        environment: vec![Variable::new("GREETING", "hello")],
        network: Network::Outgoing,
        caches: vec!["wheels".to_owned()],
        secrets: vec!["token".to_owned()],
        build_environment: vec![Variable::new("PROXY", "http://proxy")],
        users: Vec::new(),
        uids: None,
        triggers: sti_policy::Triggers::Refused,
    }
}

/// An image as a base; `rooted` runs as root, every other as 1001.
pub(crate) fn image(name: &str) -> Base {
    let user = if name == "rooted" { "" } else { "1001" };
    image_of(name, user)
}

pub(crate) fn image_of(name: &str, user: &str) -> Base {
    Base::Image { reference: reference(name), id: ImageId(format!("sha256:{}", "0".repeat(64))), user: user.to_owned() }
}

/// A run of prepare that is committed.
pub(crate) fn run(base: Base) -> Step {
    let run = Run {
        environment: vec![Variable::new("GREETING", "hello"), Variable::new("OWN", "1")],
        places: vec![Place { content: ContentId(0), at: "/tmp/src".to_owned(), placement: Placement::Mounted }],
        commit: Some(ImageChanges::default()),
        ..Run::new(vec!["/usr/bin/prepare".to_owned()], Network::Outgoing)
    };
    Step { title: "run prepare".to_owned(), base, action: Action::Run(run) }
}

pub(crate) fn build(base: Base, instructions: Vec<Instruction>) -> Step {
    let build = Build { triggers: None, instructions, network: Network::Outgoing, changes: ImageChanges::default() };
    Step { title: "build".to_owned(), base, action: Action::Build(build) }
}

/// A build that has the ONBUILD instructions of its image carried out.
pub(crate) fn triggered(base: Base, instructions: &[&str]) -> Step {
    let instructions = instructions.iter().map(|instruction| (*instruction).to_owned()).collect();
    let mut build = Build::new(Network::Outgoing);
    build.triggers = Some(Triggers { context: ContentId(0), instructions });
    Step { title: "carry them out".to_owned(), base, action: Action::Build(build) }
}

pub(crate) fn layer(base: Base, owner: Option<&str>) -> Step {
    let copied = Copied { content: ContentId(0), at: "/srv/app".to_owned(), owner: owner.map(str::to_owned) };
    let assemble = Assemble { layers: vec![Layer { title: "the app".to_owned(), copied }], changes: ImageChanges::default() };
    Step { title: "put together".to_owned(), base, action: Action::Assemble(assemble) }
}

/// The plan of a clean build.
pub(crate) fn plan() -> Plan {
    let mut plan = Plan::empty(Author { plugin: "commit".to_owned(), digest: plugin().digest });
    plan.contents.push(Content::Source);
    plan.steps.push(run(image("builder")));
    plan.products.push(Product { name: APP.to_owned(), tag: reference("app:1"), step: StepId(0) });
    plan
}

pub(crate) fn run_of(plan: &mut Plan) -> &mut Run {
    match &mut plan.steps[0].action {
        Action::Run(run) => run,
        _ => panic!("the first step runs"),
    }
}

pub(crate) fn changes_of(plan: &mut Plan) -> &mut ImageChanges {
    plan.steps[0].changes_mut().expect("the first step makes an image")
}

/// As `cli` prints it.
pub(crate) fn printed(denial: &Denial) -> String {
    let because = denial.because().expect("every denial has a reason");
    let hint = denial.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("{}: {denial}\n  because: {because}{hint}\n", denial.code())
}
