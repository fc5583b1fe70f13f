//! What a plugin may do within its limits, and what happens beyond them.

mod common;

use std::sync::Arc;

use common::{Guest, Heard, brief, decide, job, load, powers, sandbox};
use sti_core::{Event, Reference, plan::Base};
use sti_sandbox::{Component, Error, Kind, Limits};

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

#[tokio::test]
async fn serves_every_patch_version_of_its_own_minor_version() {
    let guest = Guest { host_version: "0.1.7", plugin_version: "0.1.3", ..Guest::default() };
    assert_eq!(decide(&guest).await.expect("it decides").steps.len(), 1);
}

/// Asks a strategy with this body, and gives back code and text of its failure.
async fn check_fails(guest: Guest<'_>, code: &str, words: &str) -> Error {
    let error = decide(&guest).await.expect_err(words);
    assert_eq!(error.code(), code, "{error:?}");
    assert!(error.to_string().contains(words), "{error} does not say `{words}`");
    assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error:?} has no hint");
    error
}

#[tokio::test]
async fn ends_an_endless_loop() {
    let guest = Guest { decide: "(loop $on (br $on)) (i32.const 0)", ..Guest::default() };
    let plugin = load(&guest.bytes()).await.expect("it is a plugin").limited(&brief());
    let error = plugin.decide(job(), powers(Arc::new(Heard::default()))).await.expect_err("it never ends");
    assert_eq!(error.to_string(), "plugin `test` was ended: it did not answer in time (limit: 0.3 s)");
}

#[tokio::test]
async fn ends_an_endless_introduction() {
    let bytes = Guest { describe: "(loop $on (br $on))", ..Guest::default() }.bytes();
    let sandbox = sandbox(Limits { introduction: brief().answer, ..brief() });
    let loaded = sandbox.load(Component { shown: "guest.wasm", digest: None, bytes: &bytes }).await;
    let error = loaded.map(|_| ()).expect_err("it never ends");
    assert_eq!(error.to_string(), "plugin `guest.wasm` was ended: it did not answer in time (limit: 0.3 s)");
}

#[tokio::test]
async fn ends_a_memory_that_grows_for_ever() {
    let decide = "(loop $on (br_if $on (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (i32.const 0)";
    let error = check_fails(Guest { decide, ..Guest::default() }, "plugin-limit", "more memory").await;
    assert!(error.to_string().contains("256 MiB"), "{error}");
}

#[tokio::test]
async fn sums_over_many_memories() {
    // Each of them is far below the limit of 4096 pages.
    check_fails(Guest { core: &"(memory 1000)".repeat(5), ..Guest::default() }, "plugin-limit", "more memory").await;
}

#[tokio::test]
async fn ends_a_recursion_without_end() {
    let core = "(func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0))))";
    check_fails(Guest { core, decide: "(call $deep (i32.const 0))", ..Guest::default() }, "plugin-limit", "too deeply").await;
}

#[tokio::test]
async fn ends_a_flood_of_handles() {
    let decide = "(loop $on (drop (call $source (local.get $plan))) (br $on)) (i32.const 0)";
    check_fails(Guest { decide, ..Guest::default() }, "plugin-limit", "too many handles").await;
}

#[tokio::test]
async fn ends_a_flood_of_things_in_the_plan() {
    let core = "(global $made (mut i32) (i32.const 0))
        (func $flood (param $plan i32)
          (call $assemble (local.get $plan) (i32.const 1056) (i32.const 8) (i32.const 2) (i32.const 0) (i32.const 512))
          (global.set $made (call $finish (i32.load (i32.const 516))))
          (loop $on
            (call $label (global.get $made) (i32.const 1024) (i32.const 4) (i32.const 1040) (i32.const 3))
            (br $on)))";
    check_fails(
        Guest { core, decide: "(call $flood (local.get $plan)) (i32.const 0)", ..Guest::default() },
        "plugin-limit",
        "too many things",
    )
    .await;
}

#[tokio::test]
async fn ends_what_hands_over_too_much_at_once() {
    let core =
        "(func $shout (drop (memory.grow (i32.const 100))) (call $message (i32.const 1) (i32.const 0) (i32.const 5000000)))";
    check_fails(
        Guest { core, decide: "(call $shout) (i32.const 0)", ..Guest::default() },
        "plugin-limit",
        "too much in one call",
    )
    .await;
}

#[tokio::test]
async fn cuts_a_flood_of_messages_and_goes_on() {
    let decide = "(local $left i32) (local.set $left (i32.const 40000))
        (loop $on
          (call $message (i32.const 1) (i32.const 1024) (i32.const 60))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $on (local.get $left)))
        (call $plan-something (local.get $plan)) (i32.const 0)";
    let heard = Arc::new(Heard::default());
    let plugin = load(&Guest { decide, ..Guest::default() }.bytes()).await.expect("it is a plugin");
    plugin.decide(job(), powers(heard.clone())).await.expect("it decides all the same");
    let events = heard.0.lock().expect("nobody panics while listening");
    assert!(events.len() < 20_000, "{} messages were passed on", events.len());
    let Some(Event::Message { from, text, .. }) = events.last() else { panic!("it said nothing") };
    assert_eq!(from.as_deref(), Some("test"));
    assert!(text.contains("the rest is left out"), "{text}");
}

#[tokio::test]
async fn names_the_functions_that_were_running_when_it_broke_down() {
    let core = "(func $break-down (result i32) unreachable)";
    let error = check_fails(Guest { core, decide: "(call $break-down)", ..Guest::default() }, "plugin-trap", "panicked").await;
    let Error::Trap { trace, .. } = error else { panic!("{error:?}") };
    assert!(trace.iter().any(|frame| frame.contains("break-down")), "{trace:?}");
}

#[tokio::test]
async fn breaks_down_when_it_reaches_outside_its_memory() {
    check_fails(Guest { decide: "(i32.load (i32.const -1))", ..Guest::default() }, "plugin-trap", "out of bounds").await;
}

#[tokio::test]
async fn breaks_down_when_it_uses_a_handle_that_it_does_not_hold() {
    check_fails(Guest { decide: "(drop (call $source (i32.const 77))) (i32.const 0)", ..Guest::default() }, "plugin-trap", "")
        .await;
}

#[tokio::test]
async fn passes_on_the_problem_that_a_plugin_tells_cleaned() {
    // result: error; kind `invalid`; code "test"; message with a control sequence; no hint.
    let decide = "(i32.store8 (i32.const 512) (i32.const 1)) (i32.store8 (i32.const 516) (i32.const 0))
        (i32.store (i32.const 520) (i32.const 1024)) (i32.store (i32.const 524) (i32.const 4))
        (i32.store (i32.const 528) (i32.const 1056)) (i32.store (i32.const 532) (i32.const 8))
        (i32.store8 (i32.const 536) (i32.const 0)) (i32.const 512)";
    let error = decide_error(decide).await;
    let Error::Problem { plugin, problem } = error else { panic!("{error:?}") };
    assert_eq!((plugin.as_str(), problem.code.as_str(), problem.message.as_str()), ("test", "test", "red"));
}

async fn decide_error(body: &str) -> Error {
    decide(&Guest { decide: body, ..Guest::default() }).await.expect_err("it tells a problem")
}

#[tokio::test]
async fn refuses_a_plan_without_a_product() {
    let error = decide_error("(i32.const 0)").await;
    assert!(matches!(&error, Error::Problem { problem, .. } if problem.code == "no-product"), "{error:?}");
}

#[tokio::test]
async fn refuses_a_plan_with_a_nul_byte_when_it_is_done() {
    let core = "(func $label-with-nul (param $plan i32)
          (call $assemble (local.get $plan) (i32.const 1056) (i32.const 8) (i32.const 2) (i32.const 0) (i32.const 512))
          (call $label (call $finish (i32.load (i32.const 516))) (i32.const 1024) (i32.const 4) (i32.const 1072) (i32.const 3)))";
    let body = "(call $label-with-nul (local.get $plan)) (call $plan-something (local.get $plan)) (i32.const 0)";
    let error = decide(&Guest { core, decide: body, ..Guest::default() }).await.expect_err("it tells a problem");
    assert!(matches!(&error, Error::Problem { problem, .. } if problem.code == "nul-byte"), "{error:?}");
}

#[tokio::test]
async fn is_well_after_a_plugin_broke_down() {
    let plugin = load(&Guest { decide: "unreachable", ..Guest::default() }.bytes()).await.expect("it is a plugin");
    for _ in 0..3 {
        let error = plugin.decide(job(), powers(Arc::new(Heard::default()))).await.expect_err("it breaks down");
        assert_eq!(error.code(), "plugin-trap");
    }
}

#[tokio::test]
async fn refuses_a_name_that_is_no_name() {
    let guest = Guest { describe: "(call $name (local.get $card) (i32.const 1056) (i32.const 8))", ..Guest::default() };
    assert_eq!(load(&guest.bytes()).await.map(|plugin| plugin.card().name.clone()).ok().as_deref(), Some("red"));
    let guest = Guest { describe: "", ..Guest::default() };
    check_fails(guest, "plugin-invalid", "it says no name").await;
}

#[tokio::test]
async fn a_strategy_cannot_be_asked_to_validate() {
    let plugin = load(&Guest::default().bytes()).await.expect("it is a plugin");
    let subject = sti_sandbox::Subject {
        moment: sti_sandbox::Moment::Plan,
        role: "app".to_owned(),
        image: None,
        source: None,
        plan: None,
        incremental: false,
        extended: false,
        contract: None,
        settings: Vec::new(),
    };
    let error = plugin.validate(subject, powers(Arc::new(Heard::default()))).await.expect_err("it is no validator");
    assert_eq!(error.code(), "plugin-invalid");
}

#[tokio::test]
async fn sets_limits_for_one_plugin_only() {
    let grows = "(drop (memory.grow (i32.const 200))) (call $plan-something (local.get $plan)) (i32.const 0)";
    let plugin = load(&Guest { decide: grows, ..Guest::default() }.bytes()).await.expect("it is a plugin");
    let narrow = plugin.limited(&Limits { memory: 4 << 20, ..Limits::default() });
    let ask = |plugin: sti_sandbox::Plugin| async move { plugin.decide(job(), powers(Arc::new(Heard::default()))).await };
    assert!(ask(narrow.limited(&Limits::default())).await.is_ok(), "the last word counts");
    let refused = ask(narrow).await.expect_err("4 MiB are not enough");
    assert_eq!(refused.code(), "plugin-limit");
    assert!(ask(plugin).await.is_ok());
}
