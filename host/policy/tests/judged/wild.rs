//! Plans whose numbers lead anywhere: judging never panics, and what is approved can be carried out in the order in which it is written.

use proptest::prelude::*;
use sti_core::Plan;
use sti_core::plan::*;
use sti_policy::Policy;

use crate::support::*;

/// Mostly numbers that exist, and now and then one far away.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![30 => 0..4_u32, 1 => Just(u32::MAX)]
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Source),
        number().prop_map(|step| Content::Capture { step: StepId(step), path: "/tmp/build".to_owned() }),
        number().prop_map(|step| Content::Output { step: StepId(step) }),
        number().prop_map(|step| Content::ImageFiles { step: StepId(step), path: "/srv".to_owned() }),
        number().prop_map(|of| Content::Part { of: ContentId(of), path: "out".to_owned() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let base = prop_oneof![2 => Just(image("builder")), 1 => number().prop_map(|step| Base::Step { step: StepId(step) })];
    let step = (base, 0..3_u8, any::<bool>(), number());
    step.prop_map(|(base, kind, commits, content)| {
        let content = ContentId(content);
        let mut step = match kind {
            0 => layer(base, None),
            1 => build(base, vec![Instruction::Copy(Copied { content, at: "/srv".to_owned(), owner: None })]),
            _ => run(base),
        };
        match &mut step.action {
            Action::Run(run) => {
                run.places[0].content = content;
                run.commit = commits.then(ImageChanges::default);
            }
            Action::Assemble(assemble) => assemble.layers[0].copied.content = content,
            Action::Build(_) => {}
        }
        step
    })
}

fn wild_plan() -> impl Strategy<Value = Plan> {
    let parts = (prop::collection::vec(content(), 0..5), prop::collection::vec(step(), 1..4), number());
    parts.prop_map(|(contents, steps, product)| {
        let mut plan = Plan { steps, ..plan() };
        plan.contents.extend(contents);
        plan.products[0].step = StepId(product);
        plan
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn approves_only_what_has_an_order(plan in wild_plan()) {
        let text = plan.to_text();
        prop_assert!(text.starts_with("plan by commit"));
        let Ok(approved) = Policy::none().approve(plan, &plugin(), &named()) else { return Ok(()) };
        let plan = approved.plan();
        for (id, step) in plan.numbered() {
            prop_assert!(plan.needs(step).iter().all(|needed| *needed < id), "{text}");
            prop_assert!(step.contents().into_iter().all(|content| plan.resolve(content).is_some()), "{text}");
        }
        prop_assert!(plan.products.iter().all(|product| plan.step(product.step).is_some_and(|step| step.changes().is_some())));
    }
}
