//! A panic is reported in one line on standard error, which the host captures and shows; then the component traps.

/// Sets the hook. Called before each of a plugin's exports; setting it twice does no harm.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| report(&line(panic))));
}

#[expect(clippy::print_stderr, reason = "standard error is the only way out of a component that panics")]
fn report(line: &str) {
    eprintln!("{line}");
}

fn line(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let message = panic.payload_as_str().unwrap_or("without a message").replace('\n', " ");
    match panic.location() {
        Some(location) => format!("panicked at {location}: {message}"),
        None => format!("panicked: {message}"),
    }
}
