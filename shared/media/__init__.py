"""Encoding and decoding of what travels: FLAC for speech, JPEG for frames. Each file needs only its own library."""
