//! Products: images that steps make, under the user's tag and its siblings, and no other.

use std::collections::BTreeSet;

use sti_core::plan::{APP, Product};
use sti_core::{Plan, Reference};

use super::At;
use super::contents::judge_makes_image;
use crate::denial::{Denial, Where};
use crate::grant::{Grant, is_kebab};

pub(super) fn judge(plan: &Plan, grant: &Grant) -> Result<(), Denial> {
    let mut names = BTreeSet::new();
    for product in &plan.products {
        let at = At { grant, place: Where::Product { name: product.name.clone() } };
        judge_product(plan, product, &at)?;
        if !names.insert(product.name.as_str()) {
            return Err(at.refuse("declare a product twice", "each product has a name of its own"));
        }
    }
    if !names.contains(APP) {
        let at = At { grant, place: Where::Plan };
        return Err(at.refuse(format!("leave out the product `{APP}`"), format!("the user asked for `{}`", grant.named.tag)));
    }
    Ok(())
}

/// A plan that only explains makes no image, and names none.
pub(super) fn judge_none(plan: &Plan, grant: &Grant) -> Result<(), Denial> {
    let nothing = "the user asked for an explanation, of which nothing is left";
    if let Some((id, _)) = plan.numbered().find(|(_, step)| step.changes().is_some()) {
        return Err(At::step(grant, plan, id).refuse("make an image", nothing));
    }
    match plan.products.first() {
        Some(product) => {
            let at = At { grant, place: Where::Product { name: product.name.clone() } };
            Err(at.refuse("declare a product", nothing))
        }
        None => Ok(()),
    }
}

fn judge_product(plan: &Plan, product: &Product, at: &At<'_>) -> Result<(), Denial> {
    judge_makes_image(plan, product.step, at)?;
    if !is_kebab(&product.name) {
        return Err(at.refuse("declare a product of this name", "names of products are lower-case letters, digits and dashes"));
    }
    let wished = product.tag.canonical();
    match tag_of(&at.grant.named.tag, &product.name) {
        Some(tag) if tag.canonical() == wished => Ok(()),
        tag => {
            let tag = tag.map_or_else(|| at.grant.named.tag.to_string(), |tag| tag.to_string());
            let hint = format!("to have it, give `{}` as APP_IMAGE_TAG", product.tag);
            let grant = format!("the command line names `{}`, by which this one is `{tag}`", at.grant.named.tag);
            Err(at.refuse_with(format!("tag `{}`", product.tag), grant, hint))
        }
    }
}

fn tag_of(tag: &Reference, name: &str) -> Option<Reference> {
    if name == APP { Some(tag.clone()) } else { tag.sibling(name).ok() }
}
