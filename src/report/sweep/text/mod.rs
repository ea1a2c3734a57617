//! An analysis in words and tables: `report.md`, and the tables for other programs.
//!
//! Sentences come from verdicts, which know two words: groups *differ*, or that is *undecided*. Each
//! carries the number of runs and the interval or the p that it rests on.

mod csv;
mod figures;
mod findings;
mod published;
mod said;
mod source;

pub use csv::{CsvError, configurations_csv, factors_csv, runs_csv};

use super::analysis::Together;
use super::record::Record;
use said::counted;

/// The report, as Markdown.
pub fn report(record: &Record) -> String {
    let mut text = format!("# Analysis of {}\n\n", record.source.paths.join(", "));
    text += &source::opening(record);
    text += &findings::findings(record);
    for family in &record.families {
        let (title, runs) = match family.together {
            Together::Concurrent => ("Several agents at once", "run"),
            Together::Alone => ("One agent", "result"),
        };
        text += &format!("\n## {title}: {}\n", counted(family.runs, runs));
        for figure in &family.figures {
            text += &figures::section(figure);
        }
        if let Some(of_published) = &family.published {
            text += &published::section(of_published);
        }
    }
    text += &source::leftovers(record);
    text + NOTES
}

const NOTES: &str = "
## How to read this

- **balance** is the published efficiency, (T_A + T_B) / (2 · wall), by the name of what it measures: both times are taken while both agents run, so it says how equal they are, not how well they ran together. **True efficiency** is against each agent alone.
- **duration balance** is the shorter agent's time over the longer one's. R² of balance on it is near 1 by algebra where agents overlap; *server-time balance* (by the server's clock) and *token balance* are not in the formula.
- **overlap** is how much of the shorter agent's time the other was running as well: 100 % where both began and ran together, 0 % where they took turns, as behind a lock.
- Intervals are at 95 % and of the mean unless another level is named. `n` counts runs. A run is one process, or one file of another's.
- **differ** / **undecided**: by Kruskal and Wallis's test, its p adjusted after Holm for all tests of the figure, or by Welch's interval. *Undecided* does not mean alike. η² is the share of the variation that lies between the groups; that of the ranks may be 0 where the other is not.
- *not crossed*: levels of that factor do not all occur with each other's, so a difference may be the other's.
- **by chance**: what the best of so many would come to if labels were exchanged at random among the runs. The best one's own mean and interval flatter it, for it was chosen for them.
";
