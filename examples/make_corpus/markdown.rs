//! The pages: a claim, a group of rows, several groups beside each other.
//!
//! The words say where figures come from and what they do not show. No sentence
//! here judges a figure.

use anyhow::Result;
use csv::StringRecord;

use super::table::{Table, lines};

/// A claim beside its doubt, the experiment that decides and the figures quoted.
pub fn claim(claim: &Table, figures: &Table) -> Result<String> {
    let [id, said, doubt, decided_by] =
        ["id", "claim", "doubt", "decided_by"].map(|column| claim.first(column));
    let figures = grid(&figures.csv()?)?;
    Ok(format!(
        "# {id}: {said}\n\n\
         A claim of the reports of November 2025, read as a hypothesis. This page holds the \
         claim, the doubt and the experiment that decides. It holds no result.\n\n\
         ## Doubt\n\n- {doubt}\n\n\
         ## What decides it\n\n- {decided_by}\n\n\
         ## Figures as quoted\n\n{figures}"
    ))
}

/// One group: its rows and, where it has figures, what they come to.
pub fn notes(title: &str, about: &str, group: &Table, caveat: &str) -> Result<String> {
    let source = group.source();
    let rows = grid(&group.csv()?)?;
    let computed = computed("## Over the rows, computed", group)?;
    Ok(format!(
        "# {title}\n\n{about}\n\n## Rows of `{source}`\n\n{rows}{computed}\n## Caveat\n\n- {caveat}\n"
    ))
}

/// Several groups: what the figures of each come to.
pub fn levels(title: &str, about: &str, groups: &[(String, Table)]) -> Result<String> {
    let mut page = format!("# {title}\n\n{about} Every figure below is computed.\n");
    for (level, group) in groups {
        page += &computed(&format!("## {level}"), group)?;
    }
    Ok(page)
}

fn computed(heading: &str, group: &Table) -> Result<String> {
    let summaries = group.summaries()?;
    if summaries.is_empty() {
        return Ok(String::new());
    }
    let ranges = group.ranges()?.join("\n- ");
    let grid = grid(&lines(&summaries)?)?;
    Ok(format!("\n{heading}\n\n{grid}\n- {ranges}\n"))
}

/// A CSV text as a table.
fn grid(csv: &str) -> Result<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers()?.clone();
    let mut grid = grid_row(&columns) + &"|---".repeat(columns.len()) + "|\n";
    for row in reader.records() {
        grid += &grid_row(&row?);
    }
    Ok(grid)
}

fn grid_row(stacks: &StringRecord) -> String {
    let stacks: Vec<_> = stacks
        .iter()
        .map(|stack| stack.replace('|', "\\|"))
        .collect();
    format!("| {} |\n", stacks.join(" | "))
}
