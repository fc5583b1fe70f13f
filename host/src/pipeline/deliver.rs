//! The end of a build: the products get their names, all or none, and the image that bore the tag goes where that was asked.

use sti_core::{
    ImageId, Progress, Reference,
    plan::{APP, Plan},
    progress::Level,
};
use sti_engine::Outcome;
use sti_policy::ApprovedPlan;

use super::{error::StiError, images::Images, request::BuildRequest};
use crate::Host;

type Tagged = Vec<(Reference, ImageId)>;

/// Tags every product. Where one cannot be tagged, those that were get their earlier images back.
pub(super) async fn deliver(
    request: &BuildRequest,
    host: &Host,
    approved_plan: &ApprovedPlan,
    outcome: &Outcome,
    images: &Images,
    progress: &dyn Progress,
) -> Result<Tagged, StiError> {
    let products = in_order(approved_plan.plan(), outcome)?;
    let previous = if request.remove_previous { images.held(&request.tag).await?.map(|facts| facts.id) } else { None };
    tag_all(&products, host, images).await?;
    if let Some(previous) = previous {
        remove_previous(&previous, &products, host, progress).await;
    }
    Ok(products)
}

/// The image that bears the user's tag.
pub(super) fn app_of(products: &Tagged, tag: &Reference) -> (Reference, ImageId) {
    let app = products.iter().find(|(name, _)| name == tag).or(products.last());
    app.cloned().unwrap_or_else(|| unreachable!("policy approves no plan without the product `{APP}`"))
}

/// The user's own tag comes last: whoever sees it sees the others too.
fn in_order(plan: &Plan, outcome: &Outcome) -> Result<Tagged, StiError> {
    let mut products: Vec<_> = plan.products.iter().collect();
    products.sort_by_key(|product| product.name == APP);
    let image_of = |step| outcome.images.get(step).cloned();
    products
        .into_iter()
        .map(|product| {
            let image =
                image_of(&product.step).ok_or_else(|| StiError::Ours(format!("the engine made no `{}`", product.name)))?;
            Ok((product.tag.clone(), image))
        })
        .collect()
}

async fn tag_all(products: &Tagged, host: &Host, images: &Images) -> Result<(), StiError> {
    for (number, (tag, image)) in products.iter().enumerate() {
        if let Err(error) = host.engine.tag(image, tag).await {
            take_back(&products[..number], host, images).await;
            return Err(error.into());
        }
    }
    Ok(())
}

/// Gives tags back to the images that bore them, as far as the engine still answers.
async fn take_back(tagged: &[(Reference, ImageId)], host: &Host, images: &Images) {
    for (tag, _) in tagged {
        if let Ok(Some(earlier)) = images.held(tag).await {
            let _unanswered = host.engine.tag(&earlier.id, tag).await;
        }
    }
}

async fn remove_previous(previous: &ImageId, products: &Tagged, host: &Host, progress: &dyn Progress) {
    if products.iter().any(|(_, image)| image == previous) {
        return;
    }
    match host.engine.remove_image(previous).await {
        Ok(true) => progress.say(Level::Info, format!("removed the previous image {}", previous.short())),
        Ok(false) => {
            progress.say(Level::Warning, format!("kept the previous image {}: something still uses it", previous.short()));
        }
        Err(error) => progress.say(Level::Warning, format!("could not remove the previous image {}: {error}", previous.short())),
    }
}
