//! To have a model loaded before it is needed: Ollama does that when it is asked nothing.

use super::api::Api;
use super::call::{CallError, Ollama, Sink};
use super::question::{Form, Question};
use super::wire::Options;
use crate::client::Client;
use crate::runtime::Runtime;

/// Listens to nothing.
struct Deaf;

impl Sink for Deaf {
    fn token(&mut self, _: &str) {}
}

impl<R: Runtime, C: Client<R>> Ollama<R, C> {
    /// Has the server load a model as requests with these options need it. OpenAI's API can't ask for
    /// that, and then nothing is done.
    ///
    /// # Errors
    /// [`CallError`], such as that there is no such model.
    pub async fn load(&self, api: Api, model: &str, options: &Options) -> Result<(), CallError> {
        if api == Api::OpenAi {
            return Ok(());
        }
        let nothing = Question {
            model,
            prompt: "",
            options,
            keep_alive: None,
            form: Form::Stream,
        };
        // A chat without a word is no chat, but both APIs share the models.
        self.ask(Api::Generate, &nothing, &mut Deaf).await.map(drop)
    }
}
