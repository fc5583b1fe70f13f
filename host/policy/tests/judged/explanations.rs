//! A plan that is wanted for an explanation runs something and leaves nothing; all else is judged as in a build.

use crate::support::*;
use sti_core::Plan;
use sti_core::plan::*;
use sti_policy::Policy;

fn judged(change: impl FnOnce(&mut Plan)) -> Result<(), String> {
    let mut plan = plan();
    plan.products.clear();
    run_of(&mut plan).commit = None;
    change(&mut plan);
    let approved = Policy::none().approve_for(plan, &plugin(), &named(), Purpose::Explanation);
    approved.map(|_| ()).map_err(|denial| printed(&denial))
}

#[test]
fn an_explanation_makes_nothing() {
    assert_eq!(judged(|_| {}), Ok(()));
    let image = judged(|plan| run_of(plan).commit = Some(ImageChanges::default())).expect_err("it makes an image");
    assert!(image.contains("may not make an image (step 1, `run prepare`)"), "{image}");
    let product = Product { name: APP.to_owned(), tag: reference("app:1"), step: StepId(0) };
    let named = judged(|plan| plan.products.push(product)).expect_err("it names one");
    assert!(named.contains("may not declare a product (product `app`)"), "{named}");
}

#[test]
fn all_else_is_judged_as_in_a_build() {
    let elsewhere = judged(|plan| plan.steps[0].base = image("elsewhere")).expect_err("nobody named it");
    assert!(elsewhere.contains("may not start from `elsewhere`"), "{elsewhere}");
}

#[test]
fn a_build_needs_its_product() {
    let mut plan = plan();
    plan.products.clear();
    let denial = Policy::none().approve(plan, &plugin(), &named()).expect_err("nothing would be tagged");
    assert!(printed(&denial).contains("may not leave out the product `app`"), "{denial}");
}
