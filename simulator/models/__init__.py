"""Language models behind one small protocol: the bundled one, any local one, any OpenAI-compatible server, a script."""
