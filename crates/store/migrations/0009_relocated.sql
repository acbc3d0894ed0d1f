-- A message that a person moved to another folder of its job is found by its Message-ID.
CREATE INDEX ledger_message_id ON ledger (internet_message_id);
