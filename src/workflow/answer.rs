//! What a model's analysis says: sections, metrics, recommendations.
//!
//! Models write Markdown loosely, so this reads it loosely: a heading is a line of `#`, or a line
//! that is bold as a whole; a list item begins with `-`, `*`, `+` or a number; a metric is an item
//! `name: number unit`; a recommendation is an item under a heading that speaks of one.

/// An analysis, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// In their order; text before the first heading is a section without a title.
    pub sections: Vec<Section>,
    /// In their order.
    pub metrics: Vec<Metric>,
    /// In their order.
    pub recommendations: Vec<String>,
}

/// A heading and the text under it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The heading, without its marks.
    pub title: String,
    /// The text up to the next heading.
    pub body: String,
}

/// A named figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit; empty if it has none.
    pub unit: String,
}

impl Answer {
    /// Takes a Markdown text apart. Whatever it can't make sense of is the body of a section.
    pub fn parse(text: &str) -> Self {
        let mut answer = Self::default();
        let mut advising = false;
        for line in text.lines() {
            if let Some(title) = heading(line) {
                advising = is_advice(title);
                answer.sections.push(Section {
                    title: title.to_owned(),
                    body: String::new(),
                });
                continue;
            }
            if let Some(item) = item(line) {
                if advising {
                    answer.recommendations.push(plain(item));
                } else {
                    answer.metrics.extend(metric(item));
                }
            }
            if answer.sections.is_empty() && !line.trim().is_empty() {
                answer.sections.push(Section::default());
            }
            if let Some(section) = answer.sections.last_mut() {
                section.body.push_str(line);
                section.body.push('\n');
            }
        }
        answer
    }
}

fn heading(line: &str) -> Option<&str> {
    let line = line.trim();
    let title = if line.starts_with('#') {
        line.trim_start_matches('#')
    } else {
        line.strip_prefix("**")?.strip_suffix("**")?
    };
    let title = title.trim().trim_matches('*').trim_end_matches(':').trim();
    (!title.is_empty() && !title.contains("**")).then_some(title)
}

fn is_advice(title: &str) -> bool {
    let title = title.to_lowercase();
    ["recommend", "suggest", "next step", "action"]
        .iter()
        .any(|word| title.contains(word))
}

fn item(line: &str) -> Option<&str> {
    let line = line.trim();
    let bulleted = ["- ", "* ", "+ "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark));
    let numbered = || {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = (rest.len() < line.len()).then_some(rest)?;
        rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "))
    };
    let item = bulleted.or_else(numbered)?.trim();
    (!item.is_empty()).then_some(item)
}

fn metric(item: &str) -> Option<Metric> {
    let (name, rest) = item.split_once(':')?;
    let rest = plain(rest);
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+');
    let end = rest.find(|c: char| !number(c)).unwrap_or(rest.len());
    let value = rest[..end].replace(',', "").parse::<f64>().ok()?;
    let unit = rest[end..].trim_start();
    let unit = unit.split([',', ';', '(', '.']).next().unwrap_or_default();
    Some(Metric {
        name: plain(name),
        value,
        unit: unit.trim().to_owned(),
    })
}

/// Without emphasis.
fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tare_mock::Text;

    #[test]
    fn sections_metrics_and_recommendations_are_found() {
        let answer = Answer::parse(
            "Intro.\n\n## Findings\n\nText.\n- **Throughput**: 1,079.3 tok/s (mean)\n- `TTFT`: 580 ms\n* not a metric\n\n**Recommendations:**\n1. Do this.\n2) **Then** that.\n",
        );
        let titles: Vec<_> = answer.sections.iter().map(|s| s.title.as_str()).collect();
        assert_eq!(titles, ["", "Findings", "Recommendations"]);
        assert!(answer.sections[1].body.contains("Text."));
        let metrics: Vec<_> = answer
            .metrics
            .iter()
            .map(|m| (m.name.as_str(), m.value, m.unit.as_str()))
            .collect();
        assert_eq!(
            metrics,
            [("Throughput", 1079.3, "tok/s"), ("TTFT", 580.0, "ms")]
        );
        assert_eq!(answer.recommendations, ["Do this.", "Then that."]);
    }

    #[test]
    fn the_mocks_answer_has_all_three() {
        let text: String = Text::new(1).take(600).collect();
        let answer = Answer::parse(&text);
        assert!(answer.sections.len() > 2, "{answer:?}");
        assert!(!answer.metrics.is_empty());
        assert!(answer.recommendations.len() >= 3);
    }

    #[test]
    fn a_text_without_structure_is_one_section() {
        let answer = Answer::parse("only words\nand more");
        assert_eq!(answer.sections.len(), 1);
        assert_eq!(answer.sections[0].body, "only words\nand more\n");
        assert_eq!(Answer::parse(""), Answer::default());
    }

    proptest! {
        #[test]
        fn any_text_can_be_taken_apart(text in "(?s).{0,200}") {
            Answer::parse(&text);
        }
    }
}
