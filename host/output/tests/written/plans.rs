//! Plans as strategies write them, and what is known of their images.

use sti_core::{
    ImageFacts, ImageId, Plan, Reference, Variable, digest,
    plan::{
        APP, Action, Author, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Network, Place, Placement,
        PlanFile, Product, Run, Step, StepId,
    },
};
use sti_output::{Known, owners_of};

/// A plan of steps and contents, whose last step makes the product.
pub(crate) fn plan(contents: Vec<Content>, steps: Vec<Step>) -> Plan {
    let app = StepId(u32::try_from(steps.len()).unwrap() - 1);
    let mut plan = Plan::empty(Author { plugin: "test".to_owned(), digest: "sha256:00".to_owned() });
    plan.products = vec![Product { name: APP.to_owned(), tag: Reference::parse("app").unwrap(), step: app }];
    Plan { contents, steps, ..plan }
}

/// What is known where each user is looked up under its own number, in the group 7; names are the user 431.
pub(crate) fn known(plan: &Plan) -> Known {
    let mut known = Known::default();
    for (reference, owner) in owners_of(plan) {
        let uid = if owner.user.is_empty() { 0 } else { owner.user.parse().unwrap_or(431) };
        let gid = if uid == 0 { 0 } else { 7 };
        known.images.insert(owner.image.clone(), facts(&reference, &owner.image));
        known.owners.insert((owner.image, owner.user), (uid, gid));
    }
    known
}

fn facts(reference: &Reference, id: &ImageId) -> ImageFacts {
    ImageFacts {
        reference: reference.clone(),
        id: id.clone(),
        platform: "linux/amd64".to_owned(),
        entrypoint: Vec::new(),
        command: vec!["/of/the/image".to_owned()],
        user: String::new(),
        working_directory: String::new(),
        environment: Vec::new(),
        labels: Vec::new(),
        exposed_ports: Vec::new(),
        volumes: Vec::new(),
        triggers: Vec::new(),
    }
}

pub(crate) fn image(name: &str, user: &str) -> Base {
    let id = ImageId(format!("sha256:{}", digest::sha256(name.as_bytes())));
    Base::Image { reference: Reference::parse(name).unwrap(), id, user: user.to_owned() }
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(crate) fn command(program: &str) -> ImageChanges {
    ImageChanges { command: Some(words(&[program])), ..ImageChanges::default() }
}

pub(crate) fn script(name: &str) -> Content {
    let file = PlanFile { path: name.to_owned(), mode: 0o755, bytes: b"#!/bin/sh\n".to_vec() };
    Content::Files { files: vec![file] }
}

pub(crate) fn capture(step: u32, path: &str) -> Content {
    Content::Capture { step: StepId(step), path: path.to_owned() }
}

pub(crate) fn copy(content: u32, at: &str, owner: Option<&str>) -> Instruction {
    Instruction::Copy(Copied { content: ContentId(content), at: at.to_owned(), owner: owner.map(str::to_owned) })
}

pub(crate) fn environment(name: &str, value: &str) -> Instruction {
    Instruction::Environment(Variable::new(name, value))
}

pub(crate) fn runs(program: &str) -> Instruction {
    Instruction::Run { command: words(&[program]) }
}

pub(crate) fn build(base: Base, instructions: Vec<Instruction>) -> Step {
    let build = Build { triggers: None, instructions, network: Network::Outgoing, changes: command("/usr/bin/run") };
    Step { title: "build".to_owned(), base, action: Action::Build(build) }
}

pub(crate) fn run(base: Base, program: &str, run: Run) -> Step {
    Step {
        title: program.trim_start_matches('/').to_owned(),
        base,
        action: Action::Run(Run { command: words(&[program]), ..run }),
    }
}

pub(crate) fn container() -> Run {
    Run::new(Vec::new(), Network::Outgoing)
}

pub(crate) fn places(mounted: &[(u32, &str)], copied: &[(u32, &str)]) -> Vec<Place> {
    let place =
        |placement| move |(content, at): &(u32, &str)| Place { content: ContentId(*content), at: (*at).to_owned(), placement };
    mounted.iter().map(place(Placement::Mounted)).chain(copied.iter().map(place(Placement::Copied))).collect()
}
