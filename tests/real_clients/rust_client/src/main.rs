//! Drives the server at OLLAMA_HOST with the crate `ollama-rs` and prints what the client made of it.
//!
//! One JSON object goes to standard output; tests/real_clients.rs knows what must be in it. With
//! `generate` or `chat` it prints only the pieces of one streamed answer, with `probe` nothing.

use futures::StreamExt;
use ollama_rs::Ollama;
use ollama_rs::error::{OllamaError, Result};
use ollama_rs::generation::chat::request::ChatMessageRequest;
use ollama_rs::generation::chat::{ChatMessage, ChatMessageResponse};
use ollama_rs::generation::completion::GenerationResponse;
use ollama_rs::generation::completion::request::GenerationRequest;
use ollama_rs::generation::parameters::KeepAlive;
use ollama_rs::models::ModelOptions;
use serde_json::{Value, json};
use std::time::Duration;

const MODEL: &str = "gemma3";
const PROMPT: &str = "Why is the sky blue? Größe, <b>, 🦙";
/// Whatever hangs is to fail.
const LONGEST: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mode = std::env::args().nth(1);
    if mode.as_deref() == Some("probe") {
        return;
    }
    let host = std::env::var("OLLAMA_HOST").expect("OLLAMA_HOST is set");
    let ollama = Ollama::builder().url(host).build();
    let report = async {
        match mode.as_deref() {
            Some("generate") => Ok(json!(pieces(&generate_all(&ollama, asking(MODEL)).await?))),
            Some("chat") => Ok(json!(said(&chat_all(&ollama, asking_chat(MODEL)).await?))),
            _ => judge(&ollama).await,
        }
    };
    let report = tokio::time::timeout(LONGEST, report).await;
    let report = report.expect("an end after 20 s").expect("an answer");
    println!("{report}");
}

async fn judge(ollama: &Ollama) -> Result<Value> {
    let show = ollama.show_model_info(MODEL.to_owned()).await?;
    let models = ollama.list_local_models().await?;
    let load = || GenerationRequest::new(MODEL.to_owned(), "");
    let loaded = ollama.generate(load()).await?;
    let generated = ollama.generate(asking(MODEL)).await?;
    let streamed = generate_all(ollama, asking(MODEL)).await?;
    let chatted = ollama.send_chat_messages(asking_chat(MODEL)).await?;
    let chat_streamed = chat_all(ollama, asking_chat(MODEL)).await?;
    let abandoned = abandon(ollama).await?;
    let after = ollama.generate(asking(MODEL)).await?;
    let unload = load().keep_alive(KeepAlive::UnloadOnCompletion);
    let unloaded = ollama.generate(unload).await?;
    Ok(json!({
        "list": models.iter().map(|model| &model.name).collect::<Vec<_>>(),
        "show": {
            "architecture": show.model_info["general.architecture"],
            "capabilities": show.capabilities,
        },
        "load": [loaded.done, loaded.response],
        "generate": {"pieces": [generated.response], "final": generated},
        "generate_streamed": {"pieces": pieces(&streamed), "final": streamed.last()},
        "chat": {"pieces": [chatted.message.content], "final": chatted},
        "chat_streamed": {"pieces": said(&chat_streamed), "final": chat_streamed.last()},
        "abandoned": abandoned,
        "after_abandoning": after.response,
        "unload": [unloaded.done, unloaded.response],
        "errors": {
            "generate, unknown model": refusal(ollama.generate(asking("x")).await),
            "generate, no model": refusal(ollama.generate(asking("")).await),
            "generate, thinking": refusal(ollama.generate(asking(MODEL).think(true)).await),
            "generate streamed, unknown model": refusal(generate_all(ollama, asking("x")).await),
            "chat, unknown model": refusal(ollama.send_chat_messages(asking_chat("x")).await),
            "chat, no model": refusal(ollama.send_chat_messages(asking_chat("")).await),
            "chat, thinking": refusal(
                ollama.send_chat_messages(asking_chat(MODEL).think(true)).await,
            ),
            "chat streamed, thinking": refusal(chat_all(ollama, asking_chat(MODEL).think(true)).await),
            "show, unknown model": refusal(ollama.show_model_info("x".to_owned()).await),
            "show, no model": refusal(ollama.show_model_info(String::new()).await),
        },
    }))
}

fn options() -> ModelOptions {
    ModelOptions::default().seed(5).num_predict(40)
}

fn asking(model: &str) -> GenerationRequest<'static> {
    GenerationRequest::new(model.to_owned(), PROMPT).options(options())
}

fn asking_chat(model: &str) -> ChatMessageRequest {
    let messages = vec![ChatMessage::user(PROMPT.to_owned())];
    ChatMessageRequest::new(model.to_owned(), messages).options(options())
}

async fn generate_all(
    ollama: &Ollama,
    request: GenerationRequest<'_>,
) -> Result<Vec<GenerationResponse>> {
    let mut stream = ollama.generate_stream(request).await?;
    let mut all = Vec::new();
    while let Some(parts) = stream.next().await {
        all.extend(parts?);
    }
    Ok(all)
}

async fn chat_all(
    ollama: &Ollama,
    request: ChatMessageRequest,
) -> Result<Vec<ChatMessageResponse>> {
    let mut stream = ollama.send_chat_messages_stream(request).await?;
    let mut all = Vec::new();
    while let Some(part) = stream.next().await {
        all.push(part.map_err(|()| OllamaError::Other("the stream broke off".to_owned()))?);
    }
    Ok(all)
}

fn pieces(parts: &[GenerationResponse]) -> Vec<&str> {
    parts.iter().map(|part| part.response.as_str()).collect()
}

fn said(parts: &[ChatMessageResponse]) -> Vec<&str> {
    parts
        .iter()
        .map(|part| part.message.content.as_str())
        .collect()
}

/// Leaves a stream that would last for half an hour.
async fn abandon(ollama: &Ollama) -> Result<String> {
    let request = asking(MODEL).options(options().num_predict(2_000_000));
    let mut stream = ollama.generate_stream(request).await?;
    let parts = stream.next().await.expect("a first part")?;
    Ok(parts[0].response.clone())
}

/// The words of the error that a call ended with: all that the client passes on.
fn refusal<T>(outcome: Result<T>) -> Value {
    match outcome {
        Ok(_) => json!("no error"),
        Err(error) => {
            serde_json::from_str(&error.to_string()).unwrap_or_else(|_| json!(error.to_string()))
        }
    }
}
