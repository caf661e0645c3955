"""The pages: warehouse, hall desk, items and their lives. Server-rendered, in Chinese first and in English."""
