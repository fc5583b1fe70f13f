//! Paths as images and users write them.

/// A path in its shortest form; `None` where it is no absolute one, leads upwards, or is the top itself.
pub(super) fn below_top(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (path.starts_with('/') && !parts.is_empty() && !parts.contains(&"..")).then(|| format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::below_top;

    #[test]
    fn shortens_what_lies_below_the_top() {
        let cases = [("/a", Some("/a")), ("//a/./b/", Some("/a/b")), ("/", None), ("", None), ("a/b", None), ("/a/../b", None)];
        for (path, expected) in cases {
            assert_eq!(below_top(path).as_deref(), expected, "{path}");
        }
    }
}
