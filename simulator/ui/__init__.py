"""The pages a trainee sees. `pages.py` wires them to Gradio and `app.py` serves them; the rest knows no Gradio."""
