//! The end of a build: the products get their names, all or none, and the image that bore the tag goes where that was asked.

use std::sync::atomic::Ordering;

use sti_core::{
    ImageId, Progress, Pull, Reference,
    plan::{APP, Plan},
    progress::Level,
};
use sti_engine::Outcome;
use sti_policy::ApprovedPlan;

use super::{error::StiError, images::Images, request::BuildRequest};
use crate::Host;

type Tagged = Vec<(Reference, ImageId)>;

/// What was tagged.
pub(super) struct Delivered {
    pub(super) products: Tagged,
    /// The image that bore the user's tag before, where it is to be removed when nothing of the build uses it any more.
    pub(super) to_remove: Option<ImageId>,
}

/// Tags every product. Where one cannot be tagged, those that were get their earlier images back.
pub(super) async fn deliver(
    request: &BuildRequest,
    host: &Host,
    approved_plan: &ApprovedPlan,
    outcome: &Outcome,
    images: &Images,
    progress: &dyn Progress,
) -> Result<Delivered, StiError> {
    let products = in_order(approved_plan.plan(), outcome)?;
    let previous = if request.remove_previous { images.held(&request.tag).await?.map(|facts| facts.id) } else { None };
    // Where the lock cannot be had, two builds of one tag may mix; that is no reason to fail this one.
    let _turn = match &host.lives {
        Some(lives) => lives.turn_to_deliver().await.ok(),
        None => None,
    };
    host.delivering.store(true, Ordering::SeqCst);
    tag_all(&products, host, images, progress).await?;
    let is_product = |image: &ImageId| products.iter().any(|(_, product)| product == image);
    let to_remove = previous.filter(|previous| !is_product(previous));
    Ok(Delivered { products, to_remove })
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

async fn tag_all(products: &Tagged, host: &Host, images: &Images, progress: &dyn Progress) -> Result<(), StiError> {
    let earlier = earlier_of(products, images).await?;
    for (number, (tag, image)) in products.iter().enumerate() {
        if let Err(error) = host.engine.tag(image, tag).await {
            for ((tag, image), earlier) in products[..=number].iter().zip(&earlier) {
                take_back(tag, image, earlier.as_ref(), host, progress).await;
            }
            return Err(error.into());
        }
    }
    Ok(())
}

/// The images that bear the names now.
async fn earlier_of(products: &Tagged, images: &Images) -> Result<Vec<Option<ImageId>>, StiError> {
    let mut earlier = Vec::new();
    for (tag, _) in products {
        earlier.push(images.held(tag).await?.map(|facts| facts.id));
    }
    Ok(earlier)
}

/// Gives a name back to the image that bore it, or takes it away, as far as the engine still answers. A name that was lost to somebody
/// else meanwhile is theirs. The last one may have been given although the answer was lost.
async fn take_back(tag: &Reference, image: &ImageId, earlier: Option<&ImageId>, host: &Host, progress: &dyn Progress) {
    match host.engine.inspect(tag, Pull::Never, progress).await {
        Ok(Some(facts)) if facts.id == *image => {}
        _ => return,
    }
    let _unanswered = match earlier {
        Some(earlier) => host.engine.tag(earlier, tag).await,
        None => host.engine.untag(tag, image).await,
    };
}

/// Removes the image that bore the user's tag before, unless somebody still uses it.
pub(super) async fn remove_previous(previous: &ImageId, host: &Host, progress: &dyn Progress) {
    match host.engine.remove_image(previous).await {
        Ok(true) => progress.say(Level::Info, format!("removed the previous image {}", previous.short())),
        Ok(false) => {
            progress.say(Level::Warning, format!("kept the previous image {}: something still uses it", previous.short()));
        }
        Err(error) => progress.say(Level::Warning, format!("could not remove the previous image {}: {error}", previous.short())),
    }
}
