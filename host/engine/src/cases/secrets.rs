//! Secrets: read by a command, and nowhere afterwards. And variables that a command is given for its time only.

use std::collections::BTreeMap;

use sti_core::{
    ImageFacts, Needles, Secret, Variable,
    plan::{Action, Base, Content, PlanFile, Run},
};

use super::{
    Bench, Failure, Limit, User,
    stage::{Stage, holds_true, mounted, run, same},
};
use crate::Trace;

const VALUE: &str = "s3cr3t-v4lue-of-the-case";

async fn stage_with<'a>(bench: &'a dyn Bench, case: &str, user: User) -> Stage<'a> {
    let mut stage = Stage::new(bench, case, user).await;
    let file = |path: &str| PlanFile { path: path.to_owned(), mode: 0o640, bytes: format!("{VALUE} in {path}").into_bytes() };
    stage.secrets = BTreeMap::from([
        ("token".to_owned(), Secret::value(VALUE.as_bytes().to_vec())),
        ("other".to_owned(), Secret::value(b"another one".to_vec())),
        ("keys".to_owned(), Secret::directory(vec![file("a"), file("sub/b")])),
    ]);
    stage
}

fn secret(stage: &mut Stage<'_>, name: &str) -> sti_core::plan::ContentId {
    stage.content(Content::Secret { name: name.to_owned() })
}

async fn trace_in(stage: &Stage<'_>, product: &ImageFacts) -> Result<Option<Trace>, Failure> {
    let needles = Needles::of(&stage.secrets);
    let found = stage.engine.find_secret(&product.id, std::slice::from_ref(&stage.builder.id), &needles).await;
    found.map_err(Failure::new)
}

pub(super) async fn lets_a_command_read_secrets_and_keeps_nothing(bench: &dyn Bench) -> Result<(), Failure> {
    for user in User::ALL {
        let mut stage = stage_with(bench, &format!("secret-{}", user.ids().0), user).await;
        let (token, other, keys) = (secret(&mut stage, "token"), secret(&mut stage, "other"), secret(&mut stage, "keys"));
        let places =
            vec![mounted(token, "/run/secrets/token"), mounted(other, "/run/secrets/other.txt"), mounted(keys, "/app/keys")];
        let words = "list /run/secrets /app/list then cat /run/secrets/other.txt then cat /app/keys/sub/b then list /app/keys /app/keys-list";
        let app = stage.commit(words, places);
        let product = stage.product(app).await?;
        let (uid, gid) = user.ids();
        let listed = stage.text(&product, "/app/list").await?;
        let files: Vec<&str> = listed.lines().filter(|line| !line.ends_with(" .")).collect();
        let expected = [format!("f 0400 {uid}:{gid} 11 other.txt"), format!("f 0400 {uid}:{gid} 24 token")];
        same("what it could read", &files, &expected.iter().map(String::as_str).collect())?;
        let keys = stage.text(&product, "/app/keys-list").await?;
        holds_true(&keys, keys.contains(&format!("f 0640 {uid}:{gid} 33 sub/b\n")))?;
        let printed = stage.told.lines().concat();
        holds_true(&printed, printed.contains("another one") && printed.contains("in sub/b"))?;
        stage.lacks(&product, "/run/secrets/token").await?;
        stage.lacks(&product, "/app/keys/a").await?;
        same("what is found of them", &trace_in(&stage, &product).await?, &None)?;
        stage.engine.clean_up().await.map_err(Failure::new)?;
        same("what is left", &stage.left_by(stage.engine.build()).await?, &0)?;
    }
    Ok(())
}

pub(super) async fn finds_a_secret_that_a_command_kept(bench: &dyn Bench) -> Result<(), Failure> {
    for (number, (words, place)) in [
        ("write /app/x before then copy /run/secrets/token /app/kept", "/app/kept"),
        ("link s3cr3t-v4lue-of-the-case /app/link", "/app/link"),
        ("write /app/s3cr3t-v4lue-of-the-case 1", "the name of a file"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stage = stage_with(bench, &format!("secret-kept-{number}"), User::Numeric).await;
        let token = secret(&mut stage, "token");
        let app = stage.commit(words, vec![mounted(token, "/run/secrets/token")]);
        let product = stage.product(app).await?;
        let trace = trace_in(&stage, &product).await?;
        // An engine may keep the command of a container beside the image, and these commands name the value.
        let is_there = |trace: &Trace| trace.secret == "token" && (trace.place == place || words.contains(VALUE));
        holds_true(&format!("{words}: {trace:?}"), trace.as_ref().is_some_and(is_there))?;
        // What is built on it and keeps no more has it all the same.
        let kept = Base::Image { reference: stage.tag.clone(), id: product.id.clone(), user: product.user.clone() };
        stage.again_as(&format!("secret-kept-again-{number}"));
        let again = stage.step(kept, Action::Run(run("write /app/y 1", Vec::new())));
        let product = stage.product(again).await?;
        let again = trace_in(&stage, &product).await?;
        holds_true(&format!("what is built on it: {again:?}"), again.is_some_and(|trace| trace.place == place))?;
    }
    Ok(())
}

pub(super) async fn finds_a_secret_in_what_an_image_says_of_itself(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = stage_with(bench, "secret-said", User::Numeric).await;
    let app = stage.commit("write /app/x 1", Vec::new());
    if let Some(changes) = stage.plan.steps[0].changes_mut() {
        changes.labels.push(Variable::new("note", format!("\"<{VALUE}>\"")));
    }
    let product = stage.product(app).await?;
    let expected = Trace { secret: "token".to_owned(), place: "its configuration".to_owned() };
    same("a label", &trace_in(&stage, &product).await?, &Some(expected))
}

pub(super) async fn forgets_variables_that_were_for_the_command_only(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "build-environment", User::Numeric).await;
    let environment = vec![Variable::new("ONLY_NOW", "of the run"), Variable::new("STAYS", "changed")];
    let base = stage.base();
    let app =
        stage.step(base, Action::Run(Run { environment, ..run("env ONLY_NOW /app/now then env STAYS /app/stays", Vec::new()) }));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/now", "of the run").await?;
    stage.holds(&product, "/app/stays", "changed").await?;
    let kept: Vec<String> = product.environment.iter().map(Variable::to_pair).collect();
    holds_true(&format!("{kept:?}"), kept.contains(&"STAYS=yes".to_owned()))?;
    if bench.is_limited(Limit::CommitsNamesOfVariables) {
        return holds_true(&format!("{kept:?}"), !kept.iter().any(|pair| pair.contains("of the run")));
    }
    holds_true(&format!("{kept:?}"), !kept.iter().any(|pair| pair.starts_with("ONLY_NOW")))
}
