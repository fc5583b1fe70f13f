//! Who everything runs as, by number: names mean something only inside an image, so they are looked up there before policy judges.

use std::collections::HashMap;

use sti_core::{ImageId, Plan, uids::number_of};

use super::{error::StiError, images::Images};

/// Holds every user of a plan against the numbers that the user allows. Asks the images nothing where all are allowed.
pub(super) async fn judge(plan: &Plan, images: &Images) -> Result<(), StiError> {
    if images.grant().allows_every_uid() {
        return Ok(());
    }
    let mut lists: HashMap<ImageId, String> = HashMap::new();
    for who in plan.users() {
        let list = match &who.image {
            None => "",
            Some((_, image)) => {
                if !lists.contains_key(image) {
                    lists.insert(image.clone(), images.users_of(image).await?);
                }
                lists.get(image).map_or("", String::as_str)
            }
        };
        images.grant().may_run_as(plan, &who, number_of(&who.user, list))?;
    }
    Ok(())
}
