//! What builds leave that died, and what another build removes of it.

use std::time::Duration;

use sti_core::plan::StepId;
use sti_engine::Engine;

use super::{
    bench::check,
    plans::{build_of, committing, on_builder, plan_of, running},
};

#[test]
fn removes_what_a_dropped_build_left_and_leaves_the_living_alone() {
    check("", async |bench| {
        let plan = plan_of(vec![running(bench, "sleep 60")], Vec::new());
        assert!(tokio::time::timeout(Duration::from_millis(1500), bench.execute(plan, None)).await.is_err());
        let other = bench.another_engine().await;
        let leftovers = other.leftovers().await.unwrap();
        let ours = leftovers.iter().find(|left| left.build == *bench.engine.build()).expect("the build is seen by another");
        assert_eq!(ours.things, 1);
        bench.engine.clean_up().await.unwrap();
        assert!(!other.leftovers().await.unwrap().iter().any(|left| left.build == *bench.engine.build()));
    });
}

#[test]
fn sweeps_an_image_that_was_committed_and_never_tagged() {
    check("", async |bench| {
        let plan = plan_of(vec![committing(bench, "write /srv/out/x 1")], Vec::new());
        let image = bench.execute(plan, None).await.unwrap().images[&StepId(0)].clone();
        assert!(bench.holds(&image));
        let other = bench.another_engine().await;
        assert_eq!(other.sweep(bench.engine.build()).await.unwrap(), 2, "a container and an image");
        assert!(!bench.holds(&image));
    });
}

#[test]
fn sweeps_images_of_instructions_that_were_never_tagged() {
    check("", async |bench| {
        let build = build_of(&["write /srv/out/a 1", "write /srv/out/a 1"]);
        let outcome = bench.execute(plan_of(vec![on_builder(bench, build)], Vec::new()), None).await.unwrap();
        let other = bench.another_engine().await;
        let leftovers = other.leftovers().await.unwrap();
        let left = leftovers.iter().find(|left| left.build == *bench.engine.build()).expect("the volume is seen by another");
        assert_eq!(left.owner.as_deref(), Some("test"));
        assert!(!bench.image_ids().is_empty());
        // Images, and the volume; Podman takes the lower ones along uncounted.
        assert!(other.sweep(bench.engine.build()).await.unwrap() >= 2);
        assert!(!bench.holds(&outcome.images[&StepId(0)]));
        assert!(bench.image_ids().is_empty());
    });
}

#[test]
fn sweeps_a_container_that_the_engines_builder_left_and_the_image_that_it_held() {
    check("", async |bench| {
        let build = build_of(&["write /srv/out/a 1"]);
        bench.execute(plan_of(vec![on_builder(bench, build)], Vec::new()), None).await.unwrap();
        let half_built = bench.image_ids();
        let containers: Vec<_> = half_built.iter().map(|image| bench.leave_container_on(image)).collect();
        let bystander = bench.leave_container_on(bench.builder.id.as_str());
        assert!(!containers.is_empty());
        bench.another_engine().await.sweep(bench.engine.build()).await.unwrap();
        assert!(containers.iter().all(|container| !bench.holds_container(container)));
        assert!(bench.holds_container(&bystander) && bench.image_ids().is_empty());
        bench.remove_container(&bystander);
    });
}

#[test]
fn leaves_a_product_alone_whose_build_left_a_container() {
    check("", async |bench| {
        let plan = plan_of(vec![committing(bench, "write /srv/out/x 1")], Vec::new());
        let image = bench.execute(plan, None).await.unwrap().images[&StepId(0)].clone();
        bench.engine.tag(&image, &bench.tag()).await.unwrap();
        let other = bench.another_engine().await;
        assert_eq!(other.sweep(bench.engine.build()).await.unwrap(), 1, "the container");
        assert!(bench.holds(&image));
        assert!(!other.remove_image(&image).await.unwrap(), "a name needs it");
    });
}
