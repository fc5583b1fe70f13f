//! Turns a source tree into a site: Markdown is rendered, everything else is copied.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    Failure,
    artifacts::Cache,
    page::{Page, navigation},
};

/// Writes the site of `source` to `site`. Pages that are unchanged since the previous build come from `artifacts`.
pub(crate) fn prepare(source: &Path, artifacts: &Path, site: &Path, kept: &Path) -> Result<(), Failure> {
    let (markdown, others): (Vec<_>, Vec<_>) = files_below(source)?.into_iter().partition(|path| is_markdown(path));
    if markdown.is_empty() {
        return Err("the source holds no .md file, so there is nothing to make a site of".into());
    }
    let pages = markdown.iter().map(|path| read_page(source, path)).collect::<Result<Vec<_>, _>>()?;
    let styled = others.iter().any(|path| path == "style.css");
    let reused = write_pages(&pages, styled, site, &Cache::open(artifacts, kept)?)?;
    for path in &others {
        let to = made_parent(site, path)?;
        fs::copy(source.join(path), &to).map_err(|error| format!("{path}: {error}"))?;
    }
    println!("{} pages: {reused} reused, {} rendered; {} other files", pages.len(), pages.len() - reused, others.len());
    Ok(())
}

/// Writes all pages and answers how many were reused.
fn write_pages(pages: &[Page], styled: bool, site: &Path, cache: &Cache) -> Result<usize, Failure> {
    let navigation = navigation(pages);
    let style = if styled { "styled" } else { "plain" };
    let mut reused = 0;
    for page in pages {
        let made_from = [env!("CARGO_PKG_VERSION"), style, &navigation, &page.path, &page.markdown];
        let html = match cache.find(&made_from) {
            Some(html) => {
                reused += 1;
                html
            }
            None => page.render(&navigation, styled),
        };
        cache.keep(&made_from, &html)?;
        fs::write(made_parent(site, &page.path)?, html)?;
    }
    Ok(reused)
}

fn read_page(source: &Path, path: &str) -> Result<Page, Failure> {
    let markdown = fs::read_to_string(source.join(path)).map_err(|error| format!("{path}: {error}"))?;
    Ok(Page::new(path, markdown))
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md")
}

/// Paths relative to `top`, sorted, so that the same source makes the same site. Dotfiles and links are not published.
fn files_below(top: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(top.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let Some(text) = path.to_str().filter(|_| !entry.file_name().to_string_lossy().starts_with('.')) else { continue };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                left.push(path);
            } else if kind.is_file() {
                found.push(text.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn made_parent(site: &Path, path: &str) -> Result<PathBuf, Failure> {
    let to = site.join(path);
    fs::create_dir_all(to.parent().unwrap_or(site))?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_page_is_reused_and_an_edited_one_is_rendered() {
        let lab = std::env::temp_dir().join(format!("site-builder-{}", std::process::id()));
        let place = |name: &str| lab.join(name);
        fs::create_dir_all(place("src/guide")).unwrap();
        fs::write(place("src/index.md"), "# Home\n").unwrap();
        fs::write(place("src/guide/start.md"), "# Start\n").unwrap();
        prepare(&place("src"), &place("none"), &place("site"), &place("cache")).unwrap();

        fs::write(place("src/index.md"), "# Home\n\nnew\n").unwrap();
        let source = ["guide/start.md", "index.md"].map(|path| read_page(&place("src"), path).unwrap());
        let cache = Cache::open(&place("cache"), &place("cache2")).unwrap();
        assert_eq!(write_pages(&source, false, &place("site"), &cache).unwrap(), 1);
        assert!(fs::read_to_string(place("site/index.html")).unwrap().contains("<p>new</p>"));
        fs::remove_dir_all(lab).unwrap();
    }
}
