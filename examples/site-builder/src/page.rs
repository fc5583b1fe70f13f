//! Markdown to a page: title, navigation, text.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// One Markdown file of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Where the page is in the site, such as `guide/start.html`.
    pub(crate) path: String,
    /// The first heading, else the file's name.
    pub(crate) title: String,
    /// What the author wrote.
    pub(crate) markdown: String,
}

impl Page {
    /// A page from a file's path relative to the source, and what it holds.
    pub(crate) fn new(path: &str, markdown: String) -> Self {
        let stem = path.strip_suffix(".md").unwrap_or(path);
        let title = first_heading(&markdown).unwrap_or_else(|| stem.rsplit('/').next().unwrap_or(stem).to_owned());
        Self { path: format!("{stem}.html"), title, markdown }
    }

    /// The whole HTML. `navigation` comes from [`navigation`].
    pub(crate) fn render(&self, navigation: &str, styled: bool) -> String {
        let up = "../".repeat(self.path.matches('/').count());
        let style = if styled { format!("<link rel=\"stylesheet\" href=\"{up}style.css\">\n") } else { String::new() };
        let mut text = String::new();
        html::push_html(&mut text, Parser::new_ext(&self.markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH));
        let title = escaped(&self.title);
        let navigation = navigation.replace("{up}", &up);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n{style}<nav>\n{navigation}</nav>\n<main>\n{text}</main>\n</html>\n"
        )
    }
}

/// Links to all pages, the front page first. `{up}` stands for the way from a page to the top.
pub(crate) fn navigation(pages: &[Page]) -> String {
    let mut pages = pages.iter().collect::<Vec<_>>();
    pages.sort_by_key(|page| (page.path != "index.html", page.path.clone()));
    let links = pages.iter().map(|page| format!("<a href=\"{{up}}{}\">{}</a>\n", escaped(&page.path), escaped(&page.title)));
    links.collect()
}

fn first_heading(markdown: &str) -> Option<String> {
    let mut events =
        Parser::new(markdown).skip_while(|event| !matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. })));
    events.next()?;
    let words = events.take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.into_string()),
        _ => None,
    });
    Some(words.collect())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_heading_is_the_title() {
        assert_eq!(Page::new("a.md", "text\n\n# The `sti` way\n\n# Other".to_owned()).title, "The sti way");
        assert_eq!(Page::new("guide/start.md", "no heading".to_owned()).title, "start");
    }

    #[test]
    fn links_lead_from_every_depth_to_the_top() {
        let pages = [Page::new("guide/start.md", "# Start & go".to_owned()), Page::new("index.md", "# Home".to_owned())];
        let navigation = navigation(&pages);
        assert!(
            pages[0]
                .render(&navigation, true)
                .contains("<a href=\"../index.html\">Home</a>\n<a href=\"../guide/start.html\">Start &amp; go</a>")
        );
        assert!(pages[1].render(&navigation, true).contains("href=\"style.css\""));
        assert!(!pages[1].render(&navigation, false).contains("stylesheet"));
    }
}
