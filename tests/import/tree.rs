//! Trees in the published schema, of our own making, and what the program says of them.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub const TARE: &str = env!("CARGO_BIN_EXE_tare");

/// A folder with a tree in it.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn tree(&self) -> PathBuf {
        self.path().join("tree")
    }

    /// Writes a file below the tree.
    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let file = self.tree().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, bytes).expect("a file");
    }

    pub fn put_json(&self, folder: &str, value: &Value) {
        self.put(&format!("{folder}/metrics.json"), value.to_string());
    }

    pub fn tare(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(TARE);
        command.args(arguments).current_dir(self.path());
        command.output().expect("the program runs")
    }

    /// Imports the tree, and reads what was written.
    pub fn import(&self, more: &[&str]) -> Imported {
        let arguments = [&["import", "tree", "--out", "out"][..], more].concat();
        let output = self.tare(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        Imported::at(&self.path().join("out"), stderr)
    }

    /// Ends with this code and one line that says all of this, and nothing is written.
    pub fn refuses(&self, code: i32, arguments: &[&str], told: &[&str]) -> String {
        let output = self.tare(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let error = said.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("{arguments:?}: {said}"));
        for part in told {
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
        for folder in ["out", "tree/report", "tare-results"] {
            assert!(
                !self.path().join(folder).exists(),
                "{arguments:?} leaves {folder}"
            );
        }
        said
    }
}

/// What came of an import.
pub struct Imported {
    pub analysis: Value,
    pub report: String,
    pub stderr: String,
    pub folder: PathBuf,
}

impl Imported {
    pub fn at(folder: &Path, stderr: String) -> Self {
        let read = |name| fs::read_to_string(folder.join(name)).expect(&stderr);
        Self {
            analysis: serde_json::from_str(&read("analysis.json")).expect("JSON"),
            report: read("report.md"),
            stderr,
            folder: folder.to_owned(),
        }
    }

    /// All that is said of a figure.
    pub fn figure(&self, name: &str) -> &Value {
        let families = self.analysis["families"].as_array().expect("families");
        let mut all = families.iter().flat_map(|family| {
            let figures = family["figures"].as_array();
            figures.into_iter().flatten()
        });
        let found = all.find(|figure| figure["figure"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {}", self.report))
    }

    /// All that is said of a factor in a figure.
    pub fn factor(&self, figure: &str, factor: &str) -> &Value {
        named(&self.figure(figure)["factors"], "factor", factor)
    }

    pub fn published(&self) -> &Value {
        &self.analysis["families"][0]["published"]
    }

    /// The report's line that holds this.
    pub fn line(&self, holds: &str) -> &str {
        let mut lines = self.report.lines();
        let line = lines.find(|line| line.contains(holds));
        line.unwrap_or_else(|| panic!("no {holds}: {}", self.report))
    }

    /// Why a file was skipped.
    pub fn skipped(&self, file: &str) -> &str {
        let one = named(&self.analysis["source"]["skipped"], "file", file);
        one["reason"].as_str().expect("a reason")
    }
}

/// The entry of a list whose field has this value.
#[track_caller]
pub fn named<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let all = list.as_array().expect("a list");
    let found = all.iter().find(|one| one[field] == value);
    found.unwrap_or_else(|| panic!("no {field} {value}: {list}"))
}

/// A number that is this one to nine digits.
#[track_caller]
pub fn is(found: &Value, expected: f64) {
    let found = found
        .as_f64()
        .unwrap_or_else(|| panic!("{found} is not {expected}"));
    let size = expected.abs().max(1e-3);
    let off = (found - expected).abs();
    assert!(off <= 1e-9 * size, "{found} is not {expected}, by {off}");
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Options as Ollama names them.
pub fn options(num_gpu: i32, num_ctx: u32, temperature: f64) -> Value {
    json!({"num_gpu": num_gpu, "num_ctx": num_ctx, "temperature": temperature})
}

/// A run of two agents.
#[derive(Clone)]
pub struct Run {
    pub scenario: &'static str,
    pub number: usize,
    /// Of collector and insight; null where the server's defaults hold.
    pub options: [Value; 2],
    /// Of collector and insight, s.
    pub times: [f64; 2],
    pub wall: f64,
    /// Tokens of each of their two calls.
    pub tokens: [u64; 2],
    pub servers: [&'static str; 2],
}

impl Run {
    /// Two agents with these times on two servers, the longer of which is the wall-clock time.
    pub fn of(number: usize, times: [f64; 2]) -> Self {
        Self {
            scenario: "chimera_homo",
            number,
            options: [options(80, 512, 0.8), options(80, 512, 0.8)],
            times,
            wall: times[0].max(times[1]),
            tokens: [300, 300],
            servers: ["http://localhost:11434", "http://localhost:11435"],
        }
    }

    pub fn balance(&self) -> f64 {
        100.0 * (self.times[0] + self.times[1]) / (2.0 * self.wall)
    }

    /// As published.
    pub fn json(&self) -> Value {
        let speedup = (self.times[0] + self.times[1]) / self.wall;
        let member = |seat: usize, id: &str| {
            let calls: Vec<Value> = (0..2).map(|_| self.call(seat)).collect();
            json!({
                "config": {
                    "id": id, "label": "chimera", "model": "gemma3:latest",
                    "base_url": self.servers[seat], "prompt": "p", "options": self.options[seat],
                },
                "result": result(&self.options[seat], "chimera", &calls),
                "execution_time_s": self.times[seat],
            })
        };
        json!({
            "run_number": self.number,
            "scenario": self.scenario,
            "collector": member(0, "DataCollector"),
            "insight": member(1, "Insight"),
            "summary": {
                "throughput_delta": 0.0,
                "ttft_delta_ms": 0.0,
                "concurrency_speedup": speedup,
                "efficiency_percent": 50.0 * speedup,
                "sequential_estimated_s": self.times[0] + self.times[1],
                "concurrent_wall_time_s": self.wall,
                "resource_contention_detected": speedup < 1.5,
            },
        })
    }

    /// A call that takes the server nine tenths of half of the agent's time.
    fn call(&self, seat: usize) -> Value {
        call(self.tokens[seat], 50.0, 600.0, 450.0 * self.times[seat])
    }
}

/// A call with this throughput, tokens/s, and with TTFT and the server's time, ms.
pub fn call(tokens: u64, throughput: f64, ttft: f64, server: f64) -> Value {
    json!({
        "ttft_ms": ttft,
        "throughput_tokens_per_sec": throughput,
        "tokens_generated": tokens,
        "total_duration_ms": server,
        "load_duration_ms": 40.0,
        "prompt_eval_duration_ms": 200.0,
        "eval_duration_ms": 1e3 * tokens as f64 / throughput,
    })
}

/// The result of an agent, as published.
pub fn result(options: &Value, agent_type: &str, calls: &[Value]) -> Value {
    let every = |field: &str| -> Vec<f64> {
        let values = calls.iter().filter_map(|call| call[field].as_f64());
        values.collect()
    };
    let spread = |values: &[f64]| {
        let middle = mean(values);
        let squares: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
        (squares / (values.len() as f64 - 1.0)).sqrt()
    };
    let (throughput, ttft) = (every("throughput_tokens_per_sec"), every("ttft_ms"));
    json!({
        "agent_type": agent_type,
        "aggregate_metrics": {
            "average_tokens_per_second": mean(&throughput),
            "average_ttft_ms": mean(&ttft),
            "stddev_throughput": spread(&throughput),
            "stddev_ttft": spread(&ttft),
            "total_tokens_generated": every("tokens_generated").iter().sum::<f64>(),
            "total_duration_ms": every("total_duration_ms").iter().sum::<f64>(),
        },
        "configuration": options,
        "individual_runs": calls,
        "model": "gemma3:latest",
        "prompt": "p",
        "runs": calls.len(),
        "system_info": {"os": "windows", "arch": "x86_64", "hostname": "laptop", "rust_version": "1.90.0"},
        "timestamp": "2025-11-15T10:00:00Z",
    })
}
