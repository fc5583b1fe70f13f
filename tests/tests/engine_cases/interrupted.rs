//! Work that is broken off: whatever the engine was doing, cleaning up finds it.

use std::time::Duration;

use sti_core::{
    Plan, Pull,
    plan::{
        APP, Action, Author, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Network, Place, Placement,
        PlanFile, Product, Run, Step, StepId,
    },
    progress::Silent,
};
use sti_engine::{
    Contents, Execution,
    cases::{Bench, User},
};
use sti_policy::{ApprovedPlan, Named, Origin, PluginIdentity, Policy};

use super::bench::LabBench;

/// When work is broken off: while containers are made, filled and started, while scripts run, while images are made. The last is after
/// the end of the work.
pub(crate) const MOMENTS: &[Duration] = &[
    Duration::from_millis(5),
    Duration::from_millis(40),
    Duration::from_millis(120),
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1300),
    Duration::from_millis(2200),
    Duration::from_mins(1),
];

/// Carries a plan out for so long, drops the work, cleans up, and looks whether anything is left.
pub(crate) async fn break_off(bench: &LabBench, moment: Duration) {
    let plan = plan(bench).await;
    let engine = bench.engine();
    let contents = Contents::default();
    let execution = Execution { plan: &plan, contents: &contents, keep_failed: false, progress: &Silent };
    let ended = tokio::time::timeout(moment, engine.execute(execution)).await;
    assert!(ended.as_ref().is_err() || ended.as_ref().is_ok_and(Result::is_ok), "{moment:?}: {ended:?}");
    engine.clean_up().await.unwrap();
    let leftovers = bench.engine().leftovers().await.unwrap();
    let left: Vec<_> = leftovers.iter().filter(|left| left.build == *engine.build()).collect();
    assert!(left.is_empty(), "broken off after {moment:?}: {left:?}");
    assert_eq!(bench.unnamed_images(), Vec::<String>::new(), "broken off after {moment:?}");
    assert_eq!(engine.inspect(&bench.tag("interrupted"), Pull::Never, &Silent).await.unwrap(), None);
}

/// Two steps side by side, a script and instructions, and a third that takes what the first has left.
async fn plan(bench: &LabBench) -> ApprovedPlan {
    let builder = bench.builder(User::Numeric).await;
    let author = Author { plugin: "interrupted".to_owned(), digest: format!("sha256:{}", "0".repeat(64)) };
    let mut plan = Plan::empty(author.clone());
    let file = PlanFile { path: "a".to_owned(), mode: 0o644, bytes: vec![b'a'; 1 << 20] };
    plan.contents = vec![
        Content::Files { files: vec![file] },
        Content::Empty,
        Content::Capture { step: StepId(0), path: "/tmp/build".to_owned() },
    ];
    let base = Base::Image { reference: builder.reference.clone(), id: builder.id.clone(), user: builder.user.clone() };
    let first = run("copy /tmp/src/a /tmp/build/a then sleep 0.3", &[(0, "/tmp/src"), (1, "/tmp/build")]);
    let copied = Copied { content: ContentId(0), at: "/app/data".to_owned(), owner: None };
    let instructions = vec![Instruction::Copy(copied), Instruction::Run { command: words("sleep 0.3") }];
    let second = Build { triggers: None, instructions, network: Network::None, changes: ImageChanges::default() };
    let third = run("copy /tmp/src/a /app/a then sleep 0.3", &[(2, "/tmp/src")]);
    let actions = [Action::Run(first), Action::Build(second), Action::Run(third)];
    let step = |action| Step { title: "a step".to_owned(), base: base.clone(), action };
    plan.steps = actions.into_iter().map(step).collect();
    let tag = bench.tag("interrupted");
    plan.products = vec![Product { name: APP.to_owned(), tag: tag.clone(), step: StepId(2) }];
    let identity = PluginIdentity { name: author.plugin, digest: author.digest, origin: Origin::Shipped };
    let named = Named::images(vec![builder.reference.clone()], tag);
    Policy::none().approve(plan, &identity, &named).unwrap()
}

fn run(verbs: &str, mounted: &[(u32, &str)]) -> Run {
    let place =
        |(content, at): &(u32, &str)| Place { content: ContentId(*content), at: (*at).to_owned(), placement: Placement::Mounted };
    Run {
        places: mounted.iter().map(place).collect(),
        commit: Some(ImageChanges::default()),
        ..Run::new(words(verbs), Network::None)
    }
}

fn words(verbs: &str) -> Vec<String> {
    std::iter::once("/usr/bin/fixture").chain(verbs.split_whitespace()).map(str::to_owned).collect()
}
