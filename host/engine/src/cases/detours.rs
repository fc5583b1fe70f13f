//! Links that scripts left where a later step is given something: nothing goes through them.

use sti_core::plan::{
    Action, Assemble, Base, Build, Copied, ImageChanges, Instruction, Layer, Network, Place, Placement, StepId,
};

use super::{
    Bench, Failure, User,
    stage::{Stage, copied, holds_true, run, same},
};
use crate::Error;

/// What a later step may be, if it is given one content at one place.
const KINDS: &[Kind] = &[
    |stage, at| with_place(stage, at, Placement::Copied),
    |stage, at| with_place(stage, at, Placement::Mounted),
    |stage, at| {
        let instructions = vec![Instruction::Copy(content(stage, at))];
        Action::Build(Build { triggers: None, instructions, network: Network::None, changes: ImageChanges::default() })
    },
    |stage, at| {
        let layers = vec![Layer { title: "files".to_owned(), copied: content(stage, at) }];
        Action::Assemble(Assemble { layers, changes: ImageChanges::default() })
    },
];

type Kind = fn(&mut Stage<'_>, &str) -> Action;

pub(super) async fn puts_nothing_through_a_link_that_a_script_left(bench: &dyn Bench) -> Result<(), Failure> {
    for kind in KINDS {
        for at in ["/tmp/way", "/tmp/way/below/it"] {
            let mut stage = Stage::new(bench, "link-of-a-script", User::Numeric).await;
            let first = stage.commit("link /etc /tmp/way", vec![]);
            let action = kind(&mut stage, at);
            let app = stage.step(Base::Step { step: first }, action);
            refuses(&mut stage, app, at, "/tmp/way").await?;
        }
    }
    Ok(())
}

pub(super) async fn copies_nothing_through_a_link_of_the_image(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "link-of-an-image", User::Numeric).await;
    let first = stage.commit("link /etc /tmp/way", vec![]);
    let linked = stage.product(first).await?;
    stage.again_as("copied-onto-it");
    let files = stage.files(&[("file", "1")]);
    let base = Base::Image { reference: linked.reference, id: linked.id, user: linked.user };
    let app = stage.step(base, Action::Run(run("print never", vec![copied(files, "/tmp/way/below")])));
    refuses(&mut stage, app, "/tmp/way/below", "/tmp/way").await
}

pub(super) async fn starts_from_an_earlier_step_where_no_link_is_on_the_way(bench: &dyn Bench) -> Result<(), Failure> {
    for (number, kind) in KINDS.iter().enumerate() {
        let mut stage = Stage::new(bench, &format!("no-link-{number}"), User::Numeric).await;
        let first = stage.commit("link /etc /tmp/elsewhere then mkdir /tmp/way", vec![]);
        let action = kind(&mut stage, "/tmp/way/below/it");
        let app = stage.step(Base::Step { step: first }, action);
        stage.product(app).await?;
    }
    Ok(())
}

async fn refuses(stage: &mut Stage<'_>, app: StepId, place: &str, on_the_way: &str) -> Result<(), Failure> {
    match stage.try_execute(app).await? {
        Err(Error::Detour { at, link, target, .. }) => {
            same("what is refused", &(at.as_str(), link.as_str(), target.as_str()), &(place, on_the_way, "/etc"))?;
        }
        other => return Err(Failure::new(format!("`{place}` is not refused: {other:?}"))),
    }
    holds_true("nothing has run", !stage.told.lines().contains(&"never".to_owned()))?;
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}

fn with_place(stage: &mut Stage<'_>, at: &str, placement: Placement) -> Action {
    let place = Place { content: stage.files(&[("file", "1")]), at: at.to_owned(), placement };
    Action::Run(run("print never", vec![place]))
}

fn content(stage: &mut Stage<'_>, at: &str) -> Copied {
    Copied { content: stage.files(&[("file", "1")]), at: at.to_owned(), owner: None }
}
