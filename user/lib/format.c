// SPDX-License-Identifier: MIT
//
// Formatted text without floating point.

#include <protocol/error.h>
#include <runtime/format.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <string.h>

#define LINE_MAX 512

struct output {
	char *buffer;
	size_t size;
	size_t length;
};

struct conversion {
	bool left;
	bool zeros;
	size_t width;
	size_t precision; // SIZE_MAX: none
	unsigned longs;   // 0: int; 1: long, long long and size_t
};

static void put(struct output *output, char character)
{
	if (output->length + 1 < output->size)
		output->buffer[output->length++] = character;
}

static void put_padded(
	struct output *output, const struct conversion *conversion, const char *text, size_t length)
{
	size_t padding = conversion->width > length ? conversion->width - length : 0;
	if (!conversion->left)
		for (; padding > 0; padding--)
			put(output, ' ');
	for (size_t i = 0; i < length; i++)
		put(output, text[i]);
	for (; padding > 0; padding--)
		put(output, ' ');
}

static void put_number(struct output *output, const struct conversion *conversion, uint64_t value,
	unsigned base, bool negative)
{
	char digits[32];
	size_t start = sizeof(digits);
	do {
		digits[--start] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	size_t wanted = 0;
	if (conversion->zeros && !conversion->left && conversion->width > 0)
		wanted = conversion->width - negative;
	if (conversion->precision != SIZE_MAX)
		wanted = conversion->precision;
	while (sizeof(digits) - start < wanted && start > 1)
		digits[--start] = '0';
	if (negative)
		digits[--start] = '-';
	put_padded(output, conversion, digits + start, sizeof(digits) - start);
}

static const char *parse_number(const char *format, va_list *list, size_t *number)
{
	*number = 0;
	if (*format == '*') {
		int value = va_arg(*list, int);
		*number = value < 0 ? 0 : (size_t)value;
		return format + 1;
	}
	while (*format >= '0' && *format <= '9')
		*number = *number * 10 + (size_t)(*format++ - '0');
	return format;
}

// Reads what stands between the percent sign and the letter.
static const char *parse_conversion(const char *format, va_list *list, struct conversion *conversion)
{
	*conversion = (struct conversion){.precision = SIZE_MAX};
	for (;; format++)
		if (*format == '-')
			conversion->left = true;
		else if (*format == '0')
			conversion->zeros = true;
		else
			break;
	format = parse_number(format, list, &conversion->width);
	if (*format == '.')
		format = parse_number(format + 1, list, &conversion->precision);
	for (; *format == 'l' || *format == 'z'; format++)
		conversion->longs = 1;
	return format;
}

static void put_signed(struct output *output, const struct conversion *conversion, int64_t value)
{
	put_number(output, conversion, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0);
}

static void put_conversion(struct output *output, struct conversion *conversion, char letter, va_list *list)
{
	const char *text;
	char character;
	switch (letter) {
	case 'c':
		character = (char)va_arg(*list, int);
		put_padded(output, conversion, &character, 1);
		break;
	case 's':
		text = va_arg(*list, const char *);
		text = text != NULL ? text : "(null)";
		put_padded(output, conversion, text, strnlen(text, conversion->precision));
		break;
	case 'd':
	case 'i':
		put_signed(
			output, conversion, conversion->longs ? va_arg(*list, int64_t) : va_arg(*list, int));
		break;
	case 'u':
	case 'x':
		put_number(output, conversion,
			conversion->longs ? va_arg(*list, uint64_t) : va_arg(*list, unsigned),
			letter == 'u' ? 10 : 16, false);
		break;
	case 'p':
		put(output, '0');
		put(output, 'x');
		put_number(output, conversion, (uintptr_t)va_arg(*list, void *), 16, false);
		break;
	default:
		put(output, letter);
	}
}

size_t format_text_list(char *buffer, size_t size, const char *format, va_list list)
{
	struct output output = {.buffer = buffer, .size = size};
	va_list arguments;
	va_copy(arguments, list);
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			put(&output, *format);
			continue;
		}
		struct conversion conversion;
		format = parse_conversion(format + 1, &arguments, &conversion);
		if (*format == '\0')
			break;
		put_conversion(&output, &conversion, *format, &arguments);
	}
	va_end(arguments);
	if (size > 0)
		buffer[output.length] = '\0';
	return output.length;
}

size_t format_text(char *buffer, size_t size, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	size_t length = format_text_list(buffer, size, format, list);
	va_end(list);
	return length;
}

void log_print(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX];
	va_list list;
	va_start(list, format);
	size_t length = format_text_list(line, sizeof(line) - 1, format, list);
	va_end(list);
	line[length++] = '\n';
	log_write(start_handle(START_LOG), level, line, length);
}

const char *error_text(unsigned error)
{
	static const char *const texts[] = {
#define ERROR(name, number, text) [number] = text,
#include <tern/errors.def>
#undef ERROR
		[ERR_NOT_DIRECTORY] = "not a directory",
		[ERR_IS_DIRECTORY] = "is a directory",
		[ERR_NOT_EMPTY] = "the directory is not empty",
		[ERR_NAME_TOO_LONG] = "the name is too long",
		[ERR_LOOP] = "too many symbolic links",
		[ERR_READ_ONLY] = "read-only file system",
		[ERR_CROSS_DEVICE] = "on different file systems",
		[ERR_NO_SPACE] = "no space left on the device",
		[ERR_FILE_TOO_LARGE] = "the file is too large",
		[ERR_NOT_EXECUTABLE] = "not a program",
	};
	const char *text = error < sizeof(texts) / sizeof(texts[0]) ? texts[error] : NULL;
	return text != NULL ? text : "unknown error";
}
