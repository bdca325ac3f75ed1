// SPDX-License-Identifier: MIT
//
// The line to the terminal: rings around the UART, and frames.

#include "line.h"
#include <protocol/error.h>
#include <string.h>

#define OUTPUT_SIZE ((size_t)64 * 1024)
#define INPUT_SIZE  ((size_t)4 * 1024)

#define FRAME_END        0x7e
#define FRAME_ESCAPE     0x7d
#define FRAME_FLIP       0x20
#define FRAME_LENGTH_MAX 2048

// A ring of a power of two of bytes; positions count up for ever.
struct ring {
	uint8_t *bytes;
	size_t size;
	size_t head; // next to take
	size_t tail; // next to fill
};

static uint8_t output_bytes[OUTPUT_SIZE], input_bytes[INPUT_SIZE];
static struct ring output = {.bytes = output_bytes, .size = OUTPUT_SIZE};
static struct ring input = {.bytes = input_bytes, .size = INPUT_SIZE};
static const struct device *device;
static const struct uart_operations *uart;
static bool is_framed;
static bool at_start = true;

static size_t ring_count(const struct ring *ring)
{
	return ring->tail - ring->head;
}

// The contiguous bytes from a position to where `length` bytes, or the ring, end.
static size_t ring_run(const struct ring *ring, size_t position, size_t length)
{
	size_t to_end = ring->size - position % ring->size;
	return length < to_end ? length : to_end;
}

// Takes its memory now: the console must go on when there is no more.
static void ring_take(struct ring *ring)
{
	memset(ring->bytes, 0, ring->size);
}

enum error line_open(const struct device *opened, bool framed)
{
	static const struct uart_operations *const known[] = {&uart_16550_operations, &uart_pl011_operations};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i]->name, opened->name) == 0) {
			uart = known[i];
			device = opened;
			is_framed = framed;
			ring_take(&output);
			ring_take(&input);
			uart->start(device);
			return ERR_OK;
		}
	}
	return ERR_NOT_SUPPORTED;
}

bool line_is_framed(void)
{
	return is_framed;
}

// A quarter of the free bytes: each may need an escape, and frames have ends.
size_t line_room(void)
{
	return (output.size - ring_count(&output)) / 4;
}

static void put(uint8_t byte)
{
	output.bytes[output.tail++ % output.size] = byte;
}

static void put_frame(enum line_channel channel, const uint8_t *bytes, size_t length)
{
	put(FRAME_END);
	put((uint8_t)channel);
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == FRAME_END || bytes[i] == FRAME_ESCAPE) {
			put(FRAME_ESCAPE);
			put(bytes[i] ^ FRAME_FLIP);
		} else {
			put(bytes[i]);
		}
	}
	put(FRAME_END);
}

void line_append(enum line_channel channel, const uint8_t *bytes, size_t length)
{
	if (is_framed) {
		for (size_t done = 0; done < length; done += FRAME_LENGTH_MAX) {
			size_t piece = length - done < FRAME_LENGTH_MAX ? length - done : FRAME_LENGTH_MAX;
			put_frame(channel, bytes + done, piece);
		}
	} else if (channel != CHANNEL_STATUS && length > 0) {
		for (size_t i = 0; i < length; i++)
			put(bytes[i]);
		at_start = bytes[length - 1] == '\n';
	}
}

bool line_is_at_start(void)
{
	return at_start;
}

bool line_is_drained(void)
{
	return ring_count(&output) == 0 && uart->is_idle(device);
}

size_t line_received(void)
{
	return input.tail;
}

size_t line_input_count(void)
{
	return ring_count(&input);
}

size_t line_input_run(const uint8_t **bytes)
{
	*bytes = &input.bytes[input.head % input.size];
	return ring_run(&input, input.head, ring_count(&input));
}

void line_input_drop(size_t count)
{
	input.head += count;
}

static void receive(void)
{
	size_t count;
	do {
		size_t room = ring_run(&input, input.tail, input.size - ring_count(&input));
		count = room > 0 ? uart->receive(device, &input.bytes[input.tail % input.size], room) : 0;
		input.tail += count;
	} while (count > 0);
}

static void transmit(void)
{
	size_t count;
	do {
		size_t run = ring_run(&output, output.head, ring_count(&output));
		count = run > 0 ? uart->transmit(device, &output.bytes[output.head % output.size], run) : 0;
		output.head += count;
	} while (count > 0);
}

// While the input ring is full, what arrives stays in the device and stops the sender.
void line_work(void)
{
	static bool receive_wanted = true, transmit_wanted = false;
	receive();
	transmit();
	bool has_room = ring_count(&input)<input.size, has_output = ring_count(&output)> 0;
	if (has_room != receive_wanted || has_output != transmit_wanted) {
		receive_wanted = has_room;
		transmit_wanted = has_output;
		uart->set_interrupts(device, receive_wanted, transmit_wanted);
	}
}

bool line_is_pending(void)
{
	return uart->is_pending(device);
}
