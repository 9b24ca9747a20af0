import httpx

from rewards.loopback_server import word_count_server


def test_words_are_counted_by_one_server_a_process() -> None:
    url = word_count_server()
    assert word_count_server() == url and url.startswith("http://127.0.0.1:")
    with httpx.Client(trust_env=False) as client:
        question = {"model": "m", "prompts": None, "texts": ["", "two words"]}
        answer = client.post(url, json=question)
    assert answer.json() == {"model": "m", "scores": [0, 2]}
