"""The Mien services: capture, text, audio, face and fusion. They meet in messages and never import each other."""
