//! What a plugin may do within its limits, and what happens beyond them.
#![allow(missing_docs, reason = "tests are sentences")]

mod common;

use std::sync::Arc;

use common::{Guest, Heard, decide, job, load, powers};
use sti_core::{Event, Reference, plan::Base};
use sti_sandbox::{Error, Kind};

#[tokio::test]
async fn writes_the_plan_that_a_strategy_decides_on() {
    let plugin = load(&Guest::default().bytes()).await.expect("it is a plugin");
    assert_eq!(plugin.card().name, "test");
    assert_eq!(plugin.card().kinds, [Kind::Strategy]);
    assert_eq!(plugin.card().needs, ["log", "requests", "plans"]);
    let plan = plugin.decide(job(), powers(Arc::new(Heard::default()))).await.expect("it decides");
    assert_eq!(plan.author.plugin, "test");
    assert_eq!(plan.author.digest, plugin.digest());
    assert_eq!(plan.steps[0].title, "red", "control sequences are taken out");
    assert_eq!(plan.steps[0].base, Base::Scratch);
    assert_eq!(plan.products[0].tag, Reference::parse("app:1").expect("it is a name"));
}
