"""The pages a trainee sees. `pages.py` wires them to Gradio; the other modules make the HTML and know no Gradio."""
