//! What a slot still holds of the last prompt, so that the next one need not be read from its start.
//!
//! Prompts are compared by blocks of tokens from the front; a block counts only if all before it are
//! the same. Answers are not remembered, as the engine does not know their text: in a chat, the next
//! turn reads the last answer anew. A model with a sliding window forgets what is ahead of the
//! window: once prompt and answer were longer, nothing of them can be gone on from.

use super::profile::PromptCache;
use super::tokenize::tokens;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;

/// A prompt as a slot sees it.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    pub tokens: u32,
    /// Of each complete block, a hash of it and all before it.
    blocks: Vec<u64>,
}

impl Prompt {
    /// Only where prompts are cached are blocks remembered.
    pub fn new(text: &str, block: Option<NonZeroU32>) -> Self {
        let mut prompt = Self::default();
        let mut so_far = DefaultHasher::new();
        for token in tokens(text) {
            prompt.tokens = prompt.tokens.saturating_add(1);
            if let Some(block) = block {
                token.hash(&mut so_far);
                if prompt.tokens.is_multiple_of(block.get()) {
                    prompt.blocks.push(so_far.finish());
                }
            }
        }
        prompt
    }
}

/// Which of a runner's slots.
#[derive(Clone, Copy, Debug)]
pub struct SlotId(usize);

/// The slots of one runner, and what each remembers. Without a cache there is nothing to know about
/// a slot, and none is kept.
#[derive(Debug)]
pub struct Slots {
    cache: Option<PromptCache>,
    slots: Vec<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    busy: bool,
    /// Of the last prompt, and its answer.
    tokens: u32,
    remembered: Vec<u64>,
}

impl Slots {
    pub fn new(cache: Option<PromptCache>) -> Self {
        Self {
            cache,
            slots: Vec::new(),
        }
    }

    /// Takes the free one that remembers the most of a prompt, of equals the first; and says how
    /// many tokens need not be read. At least one always is. Where none is free there is one more:
    /// how many there may be is the caller's business, and one never used is like none.
    pub fn take(&mut self, prompt: &Prompt) -> (Option<SlotId>, u32) {
        let Some(PromptCache { block, .. }) = self.cache else {
            return (None, 0);
        };
        let mut best: Option<(usize, usize)> = None;
        for (index, slot) in self.slots.iter().enumerate() {
            let common = common_prefix(&slot.remembered, &prompt.blocks);
            if !slot.busy && best.is_none_or(|(_, most)| common > most) {
                best = Some((index, common));
            }
        }
        let (index, common) = best.unwrap_or((self.slots.len(), 0));
        if index == self.slots.len() {
            self.slots.push(Slot::default());
        }
        let slot = &mut self.slots[index];
        slot.busy = true;
        slot.remembered.truncate(common);
        let common = u32::try_from(common).unwrap_or(u32::MAX);
        let cached = common.saturating_mul(block.get());
        let cached = cached.min(prompt.tokens.saturating_sub(1));
        (Some(SlotId(index)), cached)
    }

    /// A prompt was read in a slot.
    pub fn remember(&mut self, slot: Option<SlotId>, prompt: Prompt) {
        if let Some(SlotId(index)) = slot {
            let slot = &mut self.slots[index];
            slot.tokens = prompt.tokens;
            slot.remembered = prompt.blocks;
        }
    }

    /// A slot is free again, in which so many tokens were generated.
    pub fn give_back(&mut self, slot: Option<SlotId>, generated: u32) {
        let window = self.cache.and_then(|cache| cache.window);
        if let Some(SlotId(index)) = slot {
            let slot = &mut self.slots[index];
            slot.busy = false;
            slot.tokens = slot.tokens.saturating_add(generated);
            if window.is_some_and(|window| slot.tokens > window.get()) {
                slot.remembered.clear();
            }
        }
    }
}

fn common_prefix(one: &[u64], other: &[u64]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: Option<NonZeroU32> = NonZeroU32::new(16);

    fn slots(window: Option<u32>) -> Slots {
        Slots::new(BLOCK.map(|block| PromptCache {
            block,
            window: window.and_then(NonZeroU32::new),
        }))
    }

    fn read(slots: &mut Slots, text: &str) -> u32 {
        let prompt = Prompt::new(text, BLOCK);
        let (slot, cached) = slots.take(&prompt);
        slots.remember(slot, prompt);
        slots.give_back(slot, 0);
        cached
    }

    #[test]
    fn an_identical_prompt_re_uses_most_of_its_tokens_but_not_all() {
        for words in [13, 100, 128, 4000] {
            let text = "word".repeat(words);
            let mut slots = slots(None);
            assert_eq!(read(&mut slots, &text), 0);
            let cached = read(&mut slots, &text);
            let words = words as u32;
            assert!(
                cached < words && cached + 16 >= words,
                "{cached} of {words}"
            );
        }
    }

    #[test]
    fn only_what_is_equal_from_the_start_is_re_used() {
        let mut slots = slots(None);
        let common = "same".repeat(64);
        read(&mut slots, &format!("{common}{}", "this".repeat(64)));
        assert_eq!(
            read(&mut slots, &format!("{common}{}", "that".repeat(64))),
            64
        );
        assert_eq!(read(&mut slots, &format!("x{common}")), 0);
    }

    #[test]
    fn conversations_that_overlap_keep_a_slot_each() {
        let mut slots = slots(None);
        let prompts = ["this", "that"].map(|word| Prompt::new(&word.repeat(100), BLOCK));
        let taken = prompts.clone().map(|prompt| {
            let (slot, cached) = slots.take(&prompt);
            slots.remember(slot, prompt);
            (slot, cached)
        });
        for (slot, _) in taken {
            slots.give_back(slot, 0);
        }
        assert_eq!(taken.map(|(_, cached)| cached), [0, 0]);
        assert_eq!(read(&mut slots, &"that".repeat(100)), 96);
        assert_eq!(read(&mut slots, &"this".repeat(100)), 96);
    }

    #[test]
    fn conversations_that_take_turns_overwrite_each_other_in_the_first_slot() {
        let mut slots = slots(None);
        for word in ["this", "that", "this"] {
            assert_eq!(read(&mut slots, &word.repeat(100)), 0);
        }
    }

    #[test]
    fn a_sliding_window_forgets_a_prompt_that_with_its_answer_is_longer() {
        for (words, generated, expected) in [(48, 16, 47), (48, 17, 0), (80, 0, 0)] {
            let mut slots = slots(Some(64));
            let prompt = Prompt::new(&"word".repeat(words), BLOCK);
            let (slot, _) = slots.take(&prompt);
            slots.remember(slot, prompt);
            slots.give_back(slot, generated);
            assert_eq!(read(&mut slots, &"word".repeat(words)), expected, "{words}");
        }
    }

    #[test]
    fn without_a_cache_every_token_is_read() {
        let mut slots = Slots::new(None);
        let prompt = Prompt::new("the same again", None);
        for _ in 0..2 {
            let (slot, cached) = slots.take(&prompt);
            assert_eq!(cached, 0);
            slots.give_back(slot, 0);
        }
    }
}
