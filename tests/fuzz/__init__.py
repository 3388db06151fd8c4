"""Damages real files in every way and checks what their readers do."""
