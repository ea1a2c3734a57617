//! Overrides of a model's options on the command line: chimera's, and those of a second chimera.

use super::Failure;
use super::values::{not_negative, share};
use crate::protocol::{Api, Options};
use crate::published::agent::Chosen;
use anyhow::anyhow;
use clap::value_parser;

/// A struct of arguments whose flags all begin with a name.
macro_rules! overrides {
    ($(#[$about:meta])* $name:ident, $prefix:literal, $heading:literal) => {
        $(#[$about])*
        #[derive(Debug, Default, clap::Args)]
        #[command(next_help_heading = $heading)]
        #[group(id = $prefix)]
        pub struct $name {
            /// Layers on the GPU; -1: as many as fit
            #[arg(id = concat!($prefix, "_num_gpu"), long = concat!($prefix, "-num-gpu"), value_name = "N", allow_negative_numbers = true, value_parser = value_parser!(i32).range(-1..))]
            pub num_gpu: Option<i32>,
            /// Context length in tokens
            #[arg(id = concat!($prefix, "_num_ctx"), long = concat!($prefix, "-num-ctx"), value_name = "N", value_parser = value_parser!(u32).range(1..))]
            pub num_ctx: Option<u32>,
            /// Sampling temperature, 0 or more
            #[arg(id = concat!($prefix, "_temperature"), long = concat!($prefix, "-temperature"), value_name = "T", allow_negative_numbers = true, value_parser = not_negative)]
            pub temperature: Option<f64>,
            /// Nucleus sampling, 0 to 1
            #[arg(id = concat!($prefix, "_top_p"), long = concat!($prefix, "-top-p"), value_name = "P", allow_negative_numbers = true, value_parser = share)]
            pub top_p: Option<f64>,
            /// Sample from so many tokens; 0: from all
            #[arg(id = concat!($prefix, "_top_k"), long = concat!($prefix, "-top-k"), value_name = "K")]
            pub top_k: Option<u32>,
            /// Penalty on repetition, 0 or more; 1: none
            #[arg(id = concat!($prefix, "_repeat_penalty"), long = concat!($prefix, "-repeat-penalty"), value_name = "R", allow_negative_numbers = true, value_parser = not_negative)]
            pub repeat_penalty: Option<f64>,
        }

        impl $name {
            /// These options over those of `both`, or `default` over them if none is given, as far as
            /// the API can express them. One that is given must be expressed.
            pub fn over(
                &self,
                both: &Options,
                default: &Options,
                api: Api,
            ) -> Result<(Options, Chosen), Failure> {
                let given = Options {
                    num_gpu: self.num_gpu,
                    num_ctx: self.num_ctx,
                    temperature: self.temperature,
                    top_p: self.top_p,
                    top_k: self.top_k,
                    repeat_penalty: self.repeat_penalty,
                    ..both.clone()
                };
                chosen($prefix, given, both, default, api)
            }
        }
    };
}

overrides! {
    /// Chimera's options.
    Chimera, "chimera", "Chimera's options"
}

overrides! {
    /// The second chimera's options.
    Chimera2, "chimera2", "The second chimera's options, of chimera_hetero alone"
}

/// What chimera is without a flag: an option set of the older reports.
pub fn chimera() -> Options {
    Options {
        num_gpu: Some(80),
        num_ctx: Some(512),
        temperature: Some(0.8),
        ..Options::default()
    }
}

/// What the second is without a flag: the other half of their pair with that one.
pub fn chimera2() -> Options {
    Options {
        num_gpu: Some(100),
        num_ctx: Some(1024),
        temperature: Some(0.8),
        ..Options::default()
    }
}

fn chosen(
    prefix: &str,
    given: Options,
    both: &Options,
    default: &Options,
    api: Api,
) -> Result<(Options, Chosen), Failure> {
    if let Some(name) = api.inexpressible(&given).first() {
        return Err(Failure::Usage(anyhow!(
            "--{prefix}-{} can't be had with `--api {api}`, which has no field for it: set it where the server is started, or take another API",
            name.replace('_', "-")
        )));
    }
    if given != *both {
        return Ok((given, Chosen::CommandLine));
    }
    let mut options = Options {
        num_gpu: default.num_gpu,
        num_ctx: default.num_ctx,
        temperature: default.temperature,
        ..given
    };
    if !api.inexpressible(&options).is_empty() {
        (options.num_gpu, options.num_ctx) = (None, None);
    }
    Ok((options, Chosen::Default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chimeras_defaults_hold_only_where_nothing_is_given() {
        let both = Options {
            seed: Some(7),
            ..Options::default()
        };
        let over = |given: Chimera, api| {
            let over = given.over(&both, &chimera(), api);
            over.ok().expect("expressible")
        };
        let (default, chosen) = over(Chimera::default(), Api::Generate);
        assert_eq!(chosen, Chosen::Default);
        assert_eq!((default.num_gpu, default.num_ctx), (Some(80), Some(512)));
        assert_eq!(default.seed, Some(7));
        let given = Chimera {
            top_k: Some(40),
            ..Chimera::default()
        };
        let (given, chosen) = over(given, Api::Generate);
        assert_eq!(chosen, Chosen::CommandLine);
        assert_eq!((given.num_gpu, given.top_k), (None, Some(40)));
        let (openai, chosen) = over(Chimera::default(), Api::OpenAi);
        assert_eq!(chosen, Chosen::Default);
        assert_eq!((openai.num_gpu, openai.num_ctx), (None, None));
        assert_eq!(openai.temperature, Some(0.8));
    }

    #[test]
    fn what_the_api_can_not_say_is_named_by_its_flag() {
        let given = Chimera2 {
            num_ctx: Some(512),
            ..Chimera2::default()
        };
        let refused = given.over(&Options::default(), &chimera2(), Api::OpenAi);
        let Err(Failure::Usage(error)) = refused else {
            panic!("OpenAI's API has no context length");
        };
        assert!(
            error.to_string().starts_with("--chimera2-num-ctx "),
            "{error}"
        );
    }
}
