// SPDX-License-Identifier: MIT
//
// Formatted text, as far as the log needs it: see log.h for what a format knows.

#include <kernel/log.h>
#include <kernel/string.h>
#include <stdbool.h>

struct output {
	char *buffer;
	size_t size;
	size_t length; // that the whole text has
};

struct conversion {
	bool left;
	bool zero;
	bool prefix;
	size_t width;
	size_t precision; // SIZE_MAX: none
	unsigned longs;   // 0: int, 1: long, 2: long long; size_t is a long
};

#define DIGITS_MAX 24

_Static_assert(sizeof(long) == sizeof(long long) && sizeof(long) == sizeof(size_t), "l, ll and z are one");

static void put(struct output *output, char character)
{
	if (output->length + 1 < output->size)
		output->buffer[output->length] = character;
	output->length++;
}

static void pad(struct output *output, char character, size_t used, size_t width)
{
	for (; used < width; used++)
		put(output, character);
}

static void put_text(struct output *output, const struct conversion *conversion, const char *text)
{
	size_t length = strnlen(text, conversion->precision);

	if (!conversion->left)
		pad(output, ' ', length, conversion->width);
	for (size_t i = 0; i < length; i++)
		put(output, text[i]);
	if (conversion->left)
		pad(output, ' ', length, conversion->width);
}

static void put_number(struct output *output, const struct conversion *conversion, uint64_t value,
	unsigned base, const char *sign)
{
	char digits[DIGITS_MAX];
	size_t count = 0, used;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	used = count + strlen(sign);
	if (!conversion->left && !conversion->zero)
		pad(output, ' ', used, conversion->width);
	while (*sign)
		put(output, *sign++);
	if (!conversion->left && conversion->zero)
		pad(output, '0', used, conversion->width);
	while (count > 0)
		put(output, digits[--count]);
	if (conversion->left)
		pad(output, ' ', used, conversion->width);
}

static size_t number_or_star(const char **format, va_list *arguments)
{
	size_t number = 0;

	if (**format == '*') {
		int value = va_arg(*arguments, int);

		(*format)++;
		return value > 0 ? (size_t)value : 0;
	}
	for (; **format >= '0' && **format <= '9'; (*format)++)
		number = number * 10 + (size_t)(**format - '0');
	return number;
}

// What stands between % and the letter.
static struct conversion parse(const char **format, va_list *arguments)
{
	struct conversion conversion = {.precision = SIZE_MAX};

	for (;; (*format)++) {
		if (**format == '-')
			conversion.left = true;
		else if (**format == '0')
			conversion.zero = true;
		else if (**format == '#')
			conversion.prefix = true;
		else
			break;
	}
	conversion.width = number_or_star(format, arguments);
	if (**format == '.') {
		(*format)++;
		conversion.precision = number_or_star(format, arguments);
	}
	for (; **format == 'l' || **format == 'z'; (*format)++)
		conversion.longs++;
	return conversion;
}

static uint64_t unsigned_argument(const struct conversion *conversion, va_list *arguments)
{
	return conversion->longs ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
}

static void put_signed(struct output *output, const struct conversion *conversion, va_list *arguments)
{
	int64_t value = conversion->longs ? va_arg(*arguments, long) : va_arg(*arguments, int);

	if (value < 0)
		put_number(output, conversion, -(uint64_t)value, 10, "-");
	else
		put_number(output, conversion, (uint64_t)value, 10, "");
}

static void convert(struct output *output, struct conversion *conversion, char letter, va_list *arguments)
{
	const char *text;

	switch (letter) {
	case 's':
		text = va_arg(*arguments, const char *);
		put_text(output, conversion, text ? text : "(null)");
		break;
	case 'c':
		put(output, (char)va_arg(*arguments, int));
		break;
	case 'd':
	case 'i':
		put_signed(output, conversion, arguments);
		break;
	case 'u':
		put_number(output, conversion, unsigned_argument(conversion, arguments), 10, "");
		break;
	case 'x':
		put_number(output, conversion, unsigned_argument(conversion, arguments), 16,
			conversion->prefix ? "0x" : "");
		break;
	case 'p':
		conversion->zero = true;
		conversion->width = 2 + 2 * sizeof(void *);
		put_number(output, conversion, (uintptr_t)va_arg(*arguments, void *), 16, "0x");
		break;
	default:
		put(output, letter);
		break;
	}
}

size_t format_text(char *buffer, size_t size, const char *format, va_list arguments)
{
	struct output output = {.buffer = buffer, .size = size};
	va_list rest;

	va_copy(rest, arguments);
	while (*format) {
		struct conversion conversion;

		if (*format != '%') {
			put(&output, *format++);
			continue;
		}
		format++;
		conversion = parse(&format, &rest);
		if (*format)
			convert(&output, &conversion, *format++, &rest);
	}
	va_end(rest);
	if (size > 0)
		buffer[output.length < size ? output.length : size - 1] = 0;
	return output.length;
}

size_t format_into(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = format_text(buffer, size, format, arguments);
	va_end(arguments);
	return length;
}
