//! Builds an image through the library: `cargo run -p sti --example build -- SOURCE BUILDER_IMAGE TAG`.
//! What is told meanwhile is collected, and the script's output is shown at the end.
#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use std::{
    env,
    error::Error,
    sync::{Arc, Mutex},
};

use sti::{BuildRequest, Event, Host, Progress, Reference, StrategyChoice, build, open_source};

/// Collects what happens.
#[derive(Default)]
struct Collected(Mutex<Vec<Event>>);

impl Progress for Collected {
    fn tell(&self, event: Event) {
        self.0.lock().expect("no teller panics").push(event);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [source, builder, tag] = arguments.as_slice() else {
        return Err("give SOURCE BUILDER_IMAGE TAG".into());
    };
    let mut request = BuildRequest::new(open_source(source)?, Reference::parse(builder)?, Reference::parse(tag)?);
    request.strategy = StrategyChoice::Named("commit".to_owned());

    let host = Host::local().await?;
    let collected = Arc::new(Collected::default());
    match build(request, &host, collected.clone()).await {
        Ok(result) => println!("{} is {}", result.tag, result.image),
        Err(error) => println!("{}: {error}", error.condition().name),
    }
    for event in collected.0.lock().expect("no teller panics").iter() {
        if let Event::Output { line, .. } = event {
            println!("| {line}");
        }
    }
    Ok(())
}
